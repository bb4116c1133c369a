//! English.

use super::{Texts, Words};

pub(super) const TEXTS: Texts = Texts {
    access_denied: Words {
        heading: "Access not allowed",
        message: "The rules of this site do not allow this. Contact your help desk if you need it.",
    },
    account_locked: Words {
        heading: "Account locked",
        message: "There were too many failed tries. Contact your help desk.",
    },
    answer_phone: Words { heading: "Answer your phone", message: "Calling {device}…" },
    approved: Words {
        heading: "You’re confirmed",
        message: "Go back to your form and send it again.",
    },
    approver: Words {
        heading: "Another person has to approve",
        message: "Choose who is asked. They get a Duo Push with your name and this request.",
    },
    approver_refused: Words {
        heading: "Not approved by this person",
        message: "They can’t approve this request. Choose somebody else, or contact your help desk.",
    },
    bad_request: Words { heading: "That didn’t work", message: "Please start again." },
    check_phone: Words { heading: "Check your phone", message: "We sent a Duo Push to {device}." },
    confirm: Words {
        heading: "Confirm it’s you", message: "One more step before you can go on."
    },
    denied: Words {
        heading: "Request denied",
        message: "The request was denied on the device. Nothing was opened.",
    },
    duo_denied: Words {
        heading: "Access not allowed",
        message: "Duo does not allow this sign-in. Contact your help desk.",
    },
    enroll: Words {
        heading: "Set up Duo Mobile",
        message: "You need Duo Mobile on your phone to go on. Your help desk can set it up with you.",
    },
    enter_code: Words {
        heading: "Enter a code",
        message: "We texted codes to {device}. Enter one below.",
    },
    factor_insufficient: Words {
        heading: "Not enough for this page",
        message: "This page asks for a stronger or more recent confirmation. Try again another way, such as with a security key.",
    },
    factor_refused: Words {
        heading: "That way isn’t available",
        message: "Duo does not accept this way for your account. Use another one.",
    },
    form_not_sent: Words {
        heading: "Your form was not sent",
        message: "Confirm it’s you, then send it again.",
    },
    fraud: Words {
        heading: "Reported as fraud",
        message: "This request was reported. Your administrator has been notified. Access stays closed.",
    },
    https_required: Words {
        heading: "A secure connection is needed",
        message: "Over http:// your browser keeps no sign-in. Open this page over https://, or tell your help desk.",
    },
    identity_invalid: Words {
        heading: "Sign in first",
        message: "Your user name can’t be used here. Contact your help desk.",
    },
    identity_missing: Words {
        heading: "Sign in first",
        message: "We don’t know yet who you are. Sign in, then come back to this page.",
    },
    misconfigured: Words {
        heading: "Verification is unavailable",
        message: "This isn’t your fault. Tell your help desk.",
    },
    no_device: Words {
        heading: "No device is ready",
        message: "You have no phone or other device that can approve this. Contact your help desk.",
    },
    not_found: Words { heading: "Nothing here", message: "There is no page at this address." },
    other_user: Words {
        heading: "Another user was confirmed",
        message: "Duo confirmed a different name than the one you are signed in with here. Sign out, then sign in with the right one.",
    },
    pending_elsewhere: Words {
        heading: "Another sign-in is waiting",
        message: "Finish it in the other window or on your phone, or try again in {wait}.",
    },
    phone_unreachable: Words {
        heading: "We couldn’t reach your phone",
        message: "Open Duo Mobile to see the request, or use another way.",
    },
    sign_in_lost: Words {
        heading: "Your sign-in was not finished",
        message: "It took too long, was used already, or began in another browser. Please start again.",
    },
    signed_out: Words {
        heading: "You’re signed out",
        message: "The next visit asks you to confirm it’s you.",
    },
    timeout: Words {
        heading: "No answer in time",
        message: "The request ran out before it was answered.",
    },
    too_many_requests: Words { heading: "Slow down", message: "You can try again in {wait}." },
    unavailable: Words {
        heading: "Verification is unavailable",
        message: "This isn’t your fault. Try again in a moment.",
    },
    verified_push: Words {
        heading: "Enter this code in Duo Mobile",
        message: "We sent a Duo Push to {device}. It asks for this code.",
    },
    a_moment: "a moment",
    another_way: "Use another way",
    answered: "Answered. Press a key on your phone to approve.",
    app: "App",
    approval_awaited: "Waiting for approval",
    back_to_form: "Back to the form",
    call_me: "Call me",
    code_hint: "From Duo Mobile, a text message, a hardware token or a bypass code.",
    code_incorrect: "That code was not right.",
    code_label: "Passcode",
    code_needs_script: "Entering a passcode needs JavaScript.",
    code_spoken: "Code: {code}",
    continue_: "Continue",
    enroll_code: "Or type this code into Duo Mobile:",
    enroll_done: "I have set it up",
    enroll_open: "On this phone? Open Duo Mobile",
    enroll_portal: "You need Duo Mobile on your phone to go on. Setting it up takes a few minutes.",
    enroll_qr: "QR code for Duo Mobile",
    enroll_start: "Set it up",
    enroll_step_install: "Install Duo Mobile on your phone.",
    enroll_step_return: "Wait here. This page continues automatically.",
    enroll_step_scan: "In Duo Mobile, add an account and scan this code.",
    form_from_elsewhere: "It came from another site, and this address takes no forms from other sites. Contact your help desk if it should.",
    from: "From",
    help: "Need help?",
    help_desk: "Contact your help desk.",
    minutes: "{number} minutes",
    no_cookies: "Your browser keeps no cookies for this site. Allow them, then load this page again.",
    not_asked: "Didn’t ask for this? Tap Deny on your phone and report it.",
    offline: "Connection lost. Trying again…",
    one_moment: "One moment…",
    one_second: "{number} second",
    other_devices: "Other devices",
    passcode_now: "A passcode works right away.",
    reference: "Reference: {reference}",
    second_left: "{number} second left",
    seconds: "{number} seconds",
    seconds_left: "{number} seconds left",
    send_again: "Send again",
    send_push: "Send a push",
    sign_out_asked: "Sign out?",
    sign_out_now: "Sign out",
    signed_in_as: "Signed in as {user}.",
    start_again: "Start again",
    switch_user: "Sign in as somebody else",
    text_codes: "Text me codes",
    time: "Time",
    try_again: "Try again",
    until: "Valid until {time} UTC.",
    verify_code: "Verify code",
    your_phone: "your phone",
};
