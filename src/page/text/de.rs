//! German.

use super::{Texts, Words};

pub(super) const TEXTS: Texts = Texts {
    access_denied: Words {
        heading: "Zugriff nicht erlaubt",
        message: "Die Regeln dieser Website erlauben das nicht. Wenden Sie sich an den Helpdesk, \
                  wenn Sie Zugriff brauchen.",
    },
    account_locked: Words {
        heading: "Konto gesperrt",
        message: "Es gab zu viele Fehlversuche. Wenden Sie sich an den Helpdesk.",
    },
    answer_phone: Words {
        heading: "Nehmen Sie den Anruf an", message: "{device} wird angerufen…"
    },
    approved: Words {
        heading: "Bestätigt",
        message: "Gehen Sie zurück zum Formular und senden Sie es erneut.",
    },
    approver: Words {
        heading: "Eine andere Person muss zustimmen",
        message: "Wählen Sie, wer gefragt wird. Die Person erhält einen Duo Push mit Ihrem Namen und dieser Anfrage.",
    },
    approver_refused: Words {
        heading: "Keine Zustimmung durch diese Person",
        message: "Diese Person kann nicht zustimmen. Wählen Sie eine andere, oder wenden Sie sich an Ihren Helpdesk.",
    },
    bad_request: Words {
        heading: "Das hat nicht geklappt",
        message: "Bitte beginnen Sie noch einmal.",
    },
    check_phone: Words {
        heading: "Sehen Sie auf Ihr Telefon",
        message: "Duo Push gesendet an: {device}.",
    },
    confirm: Words {
        heading: "Bestätigen Sie, dass Sie es sind",
        message: "Noch ein Schritt, dann geht es weiter.",
    },
    denied: Words {
        heading: "Anfrage abgelehnt",
        message: "Die Anfrage wurde auf dem Gerät abgelehnt. Es wurde nichts geöffnet.",
    },
    duo_denied: Words {
        heading: "Zugriff nicht erlaubt",
        message: "Duo erlaubt diese Anmeldung nicht. Wenden Sie sich an den Helpdesk.",
    },
    enroll: Words {
        heading: "Duo Mobile einrichten",
        message: "Sie brauchen dafür Duo Mobile auf Ihrem Telefon. Der Helpdesk richtet es mit \
                  Ihnen ein.",
    },
    enter_code: Words {
        heading: "Code eingeben",
        message: "Codes per SMS gesendet an: {device}. Geben Sie unten einen davon ein.",
    },
    factor_insufficient: Words {
        heading: "Für diese Seite nicht genug",
        message: "Diese Seite verlangt eine stärkere oder neuere Bestätigung. Versuchen Sie es auf andere Weise, etwa mit einem Sicherheitsschlüssel.",
    },
    factor_refused: Words {
        heading: "Dieser Weg steht nicht zur Verfügung",
        message: "Duo nimmt diesen Weg für Ihr Konto nicht an. Wählen Sie einen anderen.",
    },
    form_not_sent: Words {
        heading: "Ihr Formular wurde nicht gesendet",
        message: "Bestätigen Sie, dass Sie es sind, und senden Sie es dann erneut.",
    },
    fraud: Words {
        heading: "Als Betrug gemeldet",
        message: "Diese Anfrage wurde gemeldet. Ihre Administration wurde informiert. Der \
                  Zugriff bleibt gesperrt.",
    },
    https_required: Words {
        heading: "Eine sichere Verbindung ist nötig",
        message: "Über http:// behält Ihr Browser keine Anmeldung. Öffnen Sie diese Seite über https://, oder wenden Sie sich an den Helpdesk.",
    },
    identity_invalid: Words {
        heading: "Melden Sie sich zuerst an",
        message: "Ihr Benutzername kann hier nicht verwendet werden. Wenden Sie sich an den \
                  Helpdesk.",
    },
    identity_missing: Words {
        heading: "Melden Sie sich zuerst an",
        message: "Wir wissen noch nicht, wer Sie sind. Melden Sie sich an und kommen Sie dann auf \
                  diese Seite zurück.",
    },
    misconfigured: Words {
        heading: "Die Bestätigung ist nicht verfügbar",
        message: "Es liegt nicht an Ihnen. Sagen Sie dem Helpdesk Bescheid.",
    },
    no_device: Words {
        heading: "Kein Gerät ist bereit",
        message: "Sie haben kein Telefon oder anderes Gerät, das bestätigen kann. Wenden Sie sich \
                  an den Helpdesk.",
    },
    not_found: Words {
        heading: "Hier ist nichts",
        message: "Unter dieser Adresse gibt es keine Seite.",
    },
    other_user: Words {
        heading: "Ein anderer Benutzer wurde bestätigt",
        message: "Duo hat einen anderen Namen bestätigt als den, mit dem Sie hier angemeldet sind. Melden Sie sich ab und mit dem richtigen wieder an.",
    },
    pending_elsewhere: Words {
        heading: "Eine andere Anmeldung wartet",
        message: "Schließen Sie sie im anderen Fenster oder auf Ihrem Telefon ab, oder versuchen \
                  Sie es in {wait} erneut.",
    },
    phone_unreachable: Words {
        heading: "Ihr Telefon ist nicht erreichbar",
        message: "Öffnen Sie Duo Mobile, um die Anfrage zu sehen, oder wählen Sie einen anderen Weg.",
    },
    sign_in_lost: Words {
        heading: "Die Anmeldung wurde nicht abgeschlossen",
        message: "Sie hat zu lange gedauert, wurde schon verwendet oder begann in einem anderen Browser. Bitte beginnen Sie von vorn.",
    },
    signed_out: Words {
        heading: "Sie sind abgemeldet",
        message: "Beim nächsten Besuch bestätigen Sie wieder, dass Sie es sind.",
    },
    timeout: Words {
        heading: "Keine Antwort erhalten",
        message: "Die Anfrage ist abgelaufen, bevor sie beantwortet wurde.",
    },
    too_many_requests: Words {
        heading: "Bitte warten Sie kurz",
        message: "Sie können es in {wait} erneut versuchen.",
    },
    unavailable: Words {
        heading: "Die Bestätigung ist nicht verfügbar",
        message: "Es liegt nicht an Ihnen. Versuchen Sie es gleich noch einmal.",
    },
    verified_push: Words {
        heading: "Geben Sie diesen Code in Duo Mobile ein",
        message: "Duo Push gesendet an: {device}. Dort wird nach diesem Code gefragt.",
    },
    a_moment: "einem Moment",
    another_way: "Anderen Weg wählen",
    answered: "Angenommen. Drücken Sie zum Bestätigen eine Taste auf Ihrem Telefon.",
    app: "Anwendung",
    approval_awaited: "Warten auf Zustimmung",
    back_to_form: "Zurück zum Formular",
    call_me: "Anrufen lassen",
    code_hint: "Aus Duo Mobile, aus einer SMS, von einem Hardware-Token oder ein Bypass-Code.",
    code_incorrect: "Dieser Code war nicht richtig.",
    code_label: "Passcode",
    code_needs_script: "Für die Eingabe eines Passcodes wird JavaScript benötigt.",
    code_spoken: "Code: {code}",
    continue_: "Weiter",
    enroll_code: "Oder geben Sie diesen Code in Duo Mobile ein:",
    enroll_done: "Ich habe es eingerichtet",
    enroll_open: "Auf diesem Telefon? Duo Mobile öffnen",
    enroll_portal: "Sie brauchen dafür Duo Mobile auf Ihrem Telefon. Das Einrichten dauert wenige \
                    Minuten.",
    enroll_qr: "QR-Code für Duo Mobile",
    enroll_start: "Einrichten",
    enroll_step_install: "Installieren Sie Duo Mobile auf Ihrem Telefon.",
    enroll_step_return: "Warten Sie hier. Diese Seite geht von selbst weiter.",
    enroll_step_scan: "Fügen Sie in Duo Mobile ein Konto hinzu und scannen Sie diesen Code.",
    form_from_elsewhere: "Es kam von einer anderen Website, und diese Adresse nimmt keine Formulare anderer Websites an. Wenden Sie sich an den Helpdesk, wenn sie es sollte.",
    from: "Von",
    help: "Brauchen Sie Hilfe?",
    help_desk: "Wenden Sie sich an Ihren Helpdesk.",
    minutes: "{number} Minuten",
    no_cookies: "Ihr Browser behält für diese Website keine Cookies. Erlauben Sie sie und laden Sie diese Seite neu.",
    not_asked: "Das waren Sie nicht? Tippen Sie auf Ihrem Telefon auf „Ablehnen“ und melden Sie es.",
    offline: "Verbindung unterbrochen. Es wird erneut versucht…",
    one_moment: "Einen Moment…",
    one_second: "{number} Sekunde",
    other_devices: "Weitere Geräte",
    passcode_now: "Ein Passcode funktioniert sofort.",
    reference: "Referenz: {reference}",
    second_left: "Noch {number} Sekunde",
    seconds: "{number} Sekunden",
    seconds_left: "Noch {number} Sekunden",
    send_again: "Erneut senden",
    send_push: "Push senden",
    sign_out_asked: "Abmelden?",
    sign_out_now: "Abmelden",
    signed_in_as: "Angemeldet als {user}.",
    start_again: "Von vorn beginnen",
    switch_user: "Als andere Person anmelden",
    text_codes: "Codes per SMS",
    time: "Zeit",
    try_again: "Erneut versuchen",
    until: "Gültig bis {time} UTC.",
    verify_code: "Code prüfen",
    your_phone: "Ihr Telefon",
};
