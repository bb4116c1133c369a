//! French. A narrow no-break space comes before double punctuation marks.

use super::{Texts, Words};

pub(super) const TEXTS: Texts = Texts {
    access_denied: Words {
        heading: "Accès non autorisé",
        message: "Les règles de ce site ne le permettent pas. Contactez votre assistance si vous \
                  avez besoin de cet accès.",
    },
    account_locked: Words {
        heading: "Compte verrouillé",
        message: "Il y a eu trop de tentatives infructueuses. Contactez votre assistance.",
    },
    answer_phone: Words {
        heading: "Répondez à l’appel",
        message: "Appel en cours\u{202f}: {device}…",
    },
    approved: Words {
        heading: "Identité confirmée",
        message: "Revenez à votre formulaire et envoyez-le à nouveau.",
    },
    approver: Words {
        heading: "Une autre personne doit approuver",
        message: "Choisissez qui est sollicité. Cette personne reçoit un Duo Push avec votre nom et cette demande.",
    },
    approver_refused: Words {
        heading: "Cette personne ne peut pas approuver",
        message: "Choisissez une autre personne ou contactez votre service d’assistance.",
    },
    bad_request: Words { heading: "Cela n’a pas fonctionné", message: "Veuillez recommencer." },
    check_phone: Words {
        heading: "Consultez votre téléphone",
        message: "Duo Push envoyé à\u{202f}: {device}.",
    },
    confirm: Words {
        heading: "Confirmez votre identité",
        message: "Encore une étape avant de continuer.",
    },
    denied: Words {
        heading: "Demande refusée",
        message: "La demande a été refusée sur l’appareil. Rien n’a été ouvert.",
    },
    duo_denied: Words {
        heading: "Accès non autorisé",
        message: "Duo n’autorise pas cette connexion. Contactez votre assistance.",
    },
    enroll: Words {
        heading: "Configurez Duo Mobile",
        message: "Vous avez besoin de Duo Mobile sur votre téléphone pour continuer. Votre \
                  assistance peut le configurer avec vous.",
    },
    enter_code: Words {
        heading: "Saisissez un code",
        message: "Codes envoyés par SMS à\u{202f}: {device}. Saisissez-en un ci-dessous.",
    },
    factor_insufficient: Words {
        heading: "Insuffisant pour cette page",
        message: "Cette page demande une confirmation plus forte ou plus récente. Réessayez autrement, par exemple avec une clé de sécurité.",
    },
    factor_refused: Words {
        heading: "Ce moyen n’est pas disponible",
        message: "Duo n’accepte pas ce moyen pour votre compte. Choisissez-en un autre.",
    },
    form_not_sent: Words {
        heading: "Votre formulaire n’a pas été envoyé",
        message: "Confirmez votre identité, puis envoyez-le à nouveau.",
    },
    fraud: Words {
        heading: "Signalé comme fraude",
        message: "Cette demande a été signalée. Votre administrateur a été prévenu. L’accès \
                  reste fermé.",
    },
    https_required: Words {
        heading: "Une connexion sécurisée est nécessaire",
        message: "Avec http://, votre navigateur ne garde aucune connexion. Ouvrez cette page avec https:// ou contactez votre assistance.",
    },
    identity_invalid: Words {
        heading: "Connectez-vous d’abord",
        message: "Votre nom d’utilisateur ne peut pas être utilisé ici. Contactez votre assistance.",
    },
    identity_missing: Words {
        heading: "Connectez-vous d’abord",
        message: "Nous ne savons pas encore qui vous êtes. Connectez-vous, puis revenez à cette \
                  page.",
    },
    misconfigured: Words {
        heading: "La vérification est indisponible",
        message: "Vous n’y êtes pour rien. Prévenez votre assistance.",
    },
    no_device: Words {
        heading: "Aucun appareil n’est prêt",
        message: "Vous n’avez ni téléphone ni autre appareil capable d’approuver cette demande. \
                  Contactez votre assistance.",
    },
    not_found: Words { heading: "Rien ici", message: "Il n’y a pas de page à cette adresse." },
    other_user: Words {
        heading: "Un autre utilisateur a été confirmé",
        message: "Duo a confirmé un autre nom que celui avec lequel vous êtes connecté ici. Déconnectez-vous, puis reconnectez-vous avec le bon.",
    },
    pending_elsewhere: Words {
        heading: "Une autre connexion est en attente",
        message: "Terminez-la dans l’autre fenêtre ou sur votre téléphone, ou réessayez dans {wait}.",
    },
    phone_unreachable: Words {
        heading: "Votre téléphone est injoignable",
        message: "Ouvrez Duo Mobile pour voir la demande, ou choisissez un autre moyen.",
    },
    sign_in_lost: Words {
        heading: "Votre connexion n’a pas abouti",
        message: "Elle a duré trop longtemps, a déjà servi ou a commencé dans un autre navigateur. Veuillez recommencer.",
    },
    signed_out: Words {
        heading: "Vous êtes déconnecté",
        message: "À la prochaine visite, vous devrez confirmer votre identité.",
    },
    timeout: Words {
        heading: "Pas de réponse à temps",
        message: "La demande a expiré avant d’avoir reçu une réponse.",
    },
    too_many_requests: Words {
        heading: "Un peu de patience",
        message: "Vous pourrez réessayer dans {wait}.",
    },
    unavailable: Words {
        heading: "La vérification est indisponible",
        message: "Vous n’y êtes pour rien. Réessayez dans un instant.",
    },
    verified_push: Words {
        heading: "Saisissez ce code dans Duo Mobile",
        message: "Duo Push envoyé à\u{202f}: {device}. Ce code y est demandé.",
    },
    a_moment: "un instant",
    another_way: "Choisir un autre moyen",
    answered: "Appel pris. Appuyez sur une touche de votre téléphone pour approuver.",
    app: "Application",
    approval_awaited: "En attente d’approbation",
    back_to_form: "Revenir au formulaire",
    call_me: "M’appeler",
    code_hint: "De Duo Mobile, d’un SMS, d’un jeton matériel ou un code de contournement.",
    code_incorrect: "Ce code n’était pas correct.",
    code_label: "Code d’accès",
    code_needs_script: "La saisie d’un code d’accès nécessite JavaScript.",
    code_spoken: "Code\u{202f}: {code}",
    continue_: "Continuer",
    enroll_code: "Ou saisissez ce code dans Duo Mobile\u{202f}:",
    enroll_done: "La configuration est terminée",
    enroll_open: "Sur ce téléphone\u{202f}? Ouvrir Duo Mobile",
    enroll_portal: "Vous avez besoin de Duo Mobile sur votre téléphone pour continuer. La \
                    configuration prend quelques minutes.",
    enroll_qr: "Code QR pour Duo Mobile",
    enroll_start: "Configurer",
    enroll_step_install: "Installez Duo Mobile sur votre téléphone.",
    enroll_step_return: "Restez ici. Cette page continue d’elle-même.",
    enroll_step_scan: "Dans Duo Mobile, ajoutez un compte et scannez ce code.",
    form_from_elsewhere: "Il venait d’un autre site, et cette adresse n’accepte pas les formulaires d’autres sites. Contactez votre assistance si elle le devrait.",
    from: "Depuis",
    help: "Besoin d’aide\u{202f}?",
    help_desk: "Contactez votre assistance.",
    minutes: "{number} minutes",
    no_cookies: "Votre navigateur ne garde pas les cookies de ce site. Autorisez-les, puis rechargez cette page.",
    not_asked: "Vous n’êtes pas à l’origine de cette demande\u{202f}? Appuyez sur Refuser sur \
                votre téléphone et signalez-la.",
    offline: "Connexion perdue. Nouvel essai…",
    one_moment: "Un instant…",
    one_second: "{number} seconde",
    other_devices: "Autres appareils",
    passcode_now: "Un code fonctionne tout de suite.",
    reference: "Référence\u{202f}: {reference}",
    second_left: "Encore {number} seconde",
    seconds: "{number} secondes",
    seconds_left: "Encore {number} secondes",
    send_again: "Renvoyer",
    send_push: "Envoyer un push",
    sign_out_asked: "Se déconnecter\u{202f}?",
    sign_out_now: "Se déconnecter",
    signed_in_as: "Connecté en tant que {user}.",
    start_again: "Recommencer",
    switch_user: "Se connecter avec un autre compte",
    text_codes: "Codes par SMS",
    time: "Heure",
    try_again: "Réessayer",
    until: "Valable jusqu’à {time} UTC.",
    verify_code: "Vérifier le code",
    your_phone: "votre téléphone",
};
