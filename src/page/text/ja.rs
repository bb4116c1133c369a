//! Japanese.

use super::{Texts, Words};

pub(super) const TEXTS: Texts = Texts {
    access_denied: Words {
        heading: "アクセスが許可されていません",
        message: "このサイトの規則により許可されていません。必要な場合はヘルプデスクにお問い合わせください。",
    },
    account_locked: Words {
        heading: "アカウントがロックされています",
        message: "失敗した試行の回数が多すぎます。ヘルプデスクにお問い合わせください。",
    },
    answer_phone: Words {
        heading: "電話に出てください", message: "{device}に発信しています…"
    },
    approved: Words {
        heading: "確認できました",
        message: "フォームに戻って、もう一度送信してください。",
    },
    approver: Words {
        heading: "別の人の承認が必要です",
        message: "承認を依頼する人を選んでください。その人に、あなたの名前とこのリクエストを示すDuo Pushが届きます。",
    },
    approver_refused: Words {
        heading: "この人は承認できません",
        message: "別の人を選ぶか、ヘルプデスクにお問い合わせください。",
    },
    bad_request: Words {
        heading: "処理できませんでした",
        message: "もう一度最初からお試しください。",
    },
    check_phone: Words {
        heading: "スマートフォンを確認してください",
        message: "{device}にDuo Pushを送信しました。",
    },
    confirm: Words {
        heading: "ご本人確認", message: "続行するには、あと1ステップです。"
    },
    denied: Words {
        heading: "リクエストが拒否されました",
        message: "デバイスでリクエストが拒否されました。何も開かれていません。",
    },
    duo_denied: Words {
        heading: "アクセスが許可されていません",
        message: "Duoがこのサインインを許可していません。ヘルプデスクにお問い合わせください。",
    },
    enroll: Words {
        heading: "Duo Mobileの設定",
        message: "続行するには、スマートフォンにDuo Mobileが必要です。設定についてはヘルプデスクにお問い合わせください。",
    },
    enter_code: Words {
        heading: "コードの入力",
        message: "{device}にSMSでコードを送信しました。いずれか1つを下に入力してください。",
    },
    factor_insufficient: Words {
        heading: "このページには不十分です",
        message: "このページでは、より強力な、またはより新しい確認が必要です。セキュリティキーなど、別の方法でもう一度お試しください。",
    },
    factor_refused: Words {
        heading: "この方法は使用できません",
        message: "Duoはこのアカウントでこの方法を受け付けていません。別の方法をお試しください。",
    },
    form_not_sent: Words {
        heading: "フォームは送信されていません",
        message: "ご本人確認の後、もう一度送信してください。",
    },
    fraud: Words {
        heading: "不正として報告されました",
        message: "このリクエストは不正として報告され、管理者に通知されました。アクセスはできません。",
    },
    https_required: Words {
        heading: "安全な接続が必要です",
        message: "http:// では、ブラウザーに確認の結果が残りません。このページを https:// で開くか、ヘルプデスクに連絡してください。",
    },
    identity_invalid: Words {
        heading: "先にサインインしてください",
        message: "このユーザー名はここでは使用できません。ヘルプデスクにお問い合わせください。",
    },
    identity_missing: Words {
        heading: "先にサインインしてください",
        message: "まだサインインが確認できていません。サインインしてから、このページに戻ってください。",
    },
    misconfigured: Words {
        heading: "現在、確認を行えません",
        message: "お客様の操作の問題ではありません。ヘルプデスクにお知らせください。",
    },
    no_device: Words {
        heading: "使用できるデバイスがありません",
        message: "承認できる電話などのデバイスがありません。ヘルプデスクにお問い合わせください。",
    },
    not_found: Words {
        heading: "ページがありません",
        message: "このアドレスにページはありません。",
    },
    other_user: Words {
        heading: "別のユーザーが確認されました",
        message: "Duoで確認された名前が、ここでサインインしている名前と異なります。サインアウトし、正しい名前でサインインしてください。",
    },
    pending_elsewhere: Words {
        heading: "別のサインインが待機中です",
        message: "別のウィンドウまたはスマートフォンで完了するか、{wait}後にもう一度お試しください。",
    },
    phone_unreachable: Words {
        heading: "スマートフォンに接続できませんでした",
        message: "Duo Mobileを開いてリクエストを確認するか、別の方法を選んでください。",
    },
    sign_in_lost: Words {
        heading: "サインインが完了しませんでした",
        message: "時間がかかりすぎたか、すでに使用されたか、別のブラウザで開始されました。最初からやり直してください。",
    },
    signed_out: Words {
        heading: "サインアウトしました",
        message: "次回のアクセス時に、再びご本人確認を行います。",
    },
    timeout: Words {
        heading: "時間内に応答がありませんでした",
        message: "応答がないまま、リクエストの有効期限が切れました。",
    },
    too_many_requests: Words {
        heading: "しばらくお待ちください",
        message: "{wait}後にもう一度お試しください。",
    },
    unavailable: Words {
        heading: "現在、確認を行えません",
        message: "お客様の操作の問題ではありません。しばらくしてからもう一度お試しください。",
    },
    verified_push: Words {
        heading: "Duo Mobileにこのコードを入力してください",
        message: "{device}にDuo Pushを送信しました。画面の指示に従ってこのコードを入力してください。",
    },
    a_moment: "少し",
    another_way: "別の方法を使う",
    answered: "応答しました。承認するには電話のキーを押してください。",
    app: "アプリ",
    approval_awaited: "承認を待っています",
    back_to_form: "フォームに戻る",
    call_me: "電話を受ける",
    code_hint: "Duo Mobile、SMS、ハードウェアトークンのコード、またはバイパスコード。",
    code_incorrect: "コードが正しくありません。",
    code_label: "パスコード",
    code_needs_script: "パスコードの入力にはJavaScriptが必要です。",
    code_spoken: "コード: {code}",
    continue_: "続行",
    enroll_code: "または、このコードをDuo Mobileに入力してください:",
    enroll_done: "設定が完了しました",
    enroll_open: "このスマートフォンでDuo Mobileを開く",
    enroll_portal: "続行するには、スマートフォンにDuo Mobileが必要です。設定は数分で終わります。",
    enroll_qr: "Duo Mobile用のQRコード",
    enroll_start: "設定する",
    enroll_step_install: "スマートフォンにDuo Mobileをインストールします。",
    enroll_step_return: "このままお待ちください。ページは自動的に進みます。",
    enroll_step_scan: "Duo Mobileでアカウントを追加し、このコードをスキャンします。",
    form_from_elsewhere: "フォームは別のサイトから送られましたが、このアドレスは他のサイトのフォームを受け付けません。受け付ける必要がある場合は、ヘルプデスクに連絡してください。",
    from: "接続元",
    help: "お困りですか？",
    help_desk: "ヘルプデスクにお問い合わせください。",
    minutes: "{number}分",
    no_cookies: "ブラウザーがこのサイトの Cookie を保存しません。Cookie を許可してから、このページを再読み込みしてください。",
    not_asked: "心当たりがない場合は、スマートフォンで「拒否」をタップして報告してください。",
    offline: "接続が切れました。再試行しています…",
    one_moment: "お待ちください…",
    one_second: "{number}秒",
    other_devices: "その他のデバイス",
    passcode_now: "パスコードはすぐに使えます。",
    reference: "参照番号: {reference}",
    second_left: "残り{number}秒",
    seconds: "{number}秒",
    seconds_left: "残り{number}秒",
    send_again: "再送信",
    send_push: "プッシュを送信",
    sign_out_asked: "サインアウトしますか",
    sign_out_now: "サインアウト",
    signed_in_as: "{user}としてサインインしています。",
    start_again: "最初からやり直す",
    switch_user: "別のユーザーとしてサインイン",
    text_codes: "SMSでコードを受け取る",
    time: "時刻",
    try_again: "もう一度試す",
    until: "有効期限: {time} UTC。",
    verify_code: "コードを確認",
    your_phone: "お使いの電話",
};
