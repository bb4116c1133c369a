//! Spanish.

use super::{Texts, Words};

pub(super) const TEXTS: Texts = Texts {
    access_denied: Words {
        heading: "Acceso no permitido",
        message: "Las reglas de este sitio no lo permiten. Si necesita acceso, contacte con su \
                  servicio de asistencia.",
    },
    account_locked: Words {
        heading: "Cuenta bloqueada",
        message: "Hubo demasiados intentos fallidos. Contacte con su servicio de asistencia.",
    },
    answer_phone: Words { heading: "Conteste la llamada", message: "Llamando a: {device}…" },
    approved: Words {
        heading: "Identidad confirmada",
        message: "Vuelva a su formulario y envíelo otra vez.",
    },
    approver: Words {
        heading: "Otra persona debe aprobarlo",
        message: "Elija a quién se pregunta. Esa persona recibe un Duo Push con su nombre y esta solicitud.",
    },
    approver_refused: Words {
        heading: "Esta persona no puede aprobarlo",
        message: "Elija a otra persona o póngase en contacto con su servicio de asistencia.",
    },
    bad_request: Words { heading: "No ha funcionado", message: "Empiece de nuevo, por favor." },
    check_phone: Words { heading: "Mire su teléfono", message: "Duo Push enviado a: {device}." },
    confirm: Words {
        heading: "Confirme su identidad", message: "Un paso más antes de continuar."
    },
    denied: Words {
        heading: "Solicitud rechazada",
        message: "La solicitud se rechazó en el dispositivo. No se abrió nada.",
    },
    duo_denied: Words {
        heading: "Acceso no permitido",
        message: "Duo no permite este inicio de sesión. Contacte con su servicio de asistencia.",
    },
    enroll: Words {
        heading: "Configure Duo Mobile",
        message: "Necesita Duo Mobile en su teléfono para continuar. Su servicio de asistencia \
                  puede configurarlo con usted.",
    },
    enter_code: Words {
        heading: "Introduzca un código",
        message: "Códigos enviados por SMS a: {device}. Introduzca uno abajo.",
    },
    factor_insufficient: Words {
        heading: "No es suficiente para esta página",
        message: "Esta página pide una confirmación más fuerte o más reciente. Inténtelo de otra manera, por ejemplo con una llave de seguridad.",
    },
    factor_refused: Words {
        heading: "Esta forma no está disponible",
        message: "Duo no acepta esta forma para su cuenta. Elija otra.",
    },
    form_not_sent: Words {
        heading: "Su formulario no se ha enviado",
        message: "Confirme su identidad y envíelo otra vez.",
    },
    fraud: Words {
        heading: "Denunciado como fraude",
        message: "Esta solicitud se denunció. Se avisó a su administrador. El acceso sigue \
                  cerrado.",
    },
    https_required: Words {
        heading: "Se necesita una conexión segura",
        message: "Con http://, su navegador no conserva ningún inicio de sesión. Abra esta página con https:// o avise a su servicio de asistencia.",
    },
    identity_invalid: Words {
        heading: "Inicie sesión primero",
        message: "Su nombre de usuario no se puede usar aquí. Contacte con su servicio de \
                  asistencia.",
    },
    identity_missing: Words {
        heading: "Inicie sesión primero",
        message: "Aún no sabemos quién es usted. Inicie sesión y vuelva a esta página.",
    },
    misconfigured: Words {
        heading: "La verificación no está disponible",
        message: "No es culpa suya. Avise a su servicio de asistencia.",
    },
    no_device: Words {
        heading: "No hay ningún dispositivo listo",
        message: "No tiene ningún teléfono u otro dispositivo que pueda aprobar esto. Contacte \
                  con su servicio de asistencia.",
    },
    not_found: Words {
        heading: "Aquí no hay nada",
        message: "No hay ninguna página en esta dirección.",
    },
    other_user: Words {
        heading: "Se confirmó a otro usuario",
        message: "Duo confirmó un nombre distinto de aquel con el que ha iniciado sesión aquí. Cierre la sesión e iníciela con el correcto.",
    },
    pending_elsewhere: Words {
        heading: "Hay otro inicio de sesión en espera",
        message: "Termínelo en la otra ventana o en su teléfono, o vuelva a intentarlo en {wait}.",
    },
    phone_unreachable: Words {
        heading: "No pudimos contactar con su teléfono",
        message: "Abra Duo Mobile para ver la solicitud o elija otra forma.",
    },
    sign_in_lost: Words {
        heading: "No se completó el inicio de sesión",
        message: "Tardó demasiado, ya se utilizó o empezó en otro navegador. Empiece de nuevo.",
    },
    signed_out: Words {
        heading: "Ha cerrado la sesión",
        message: "En la próxima visita tendrá que confirmar su identidad.",
    },
    timeout: Words {
        heading: "No hubo respuesta a tiempo",
        message: "La solicitud caducó antes de recibir respuesta.",
    },
    too_many_requests: Words {
        heading: "Espere un poco",
        message: "Puede volver a intentarlo en {wait}.",
    },
    unavailable: Words {
        heading: "La verificación no está disponible",
        message: "No es culpa suya. Vuelva a intentarlo en un momento.",
    },
    verified_push: Words {
        heading: "Introduzca este código en Duo Mobile",
        message: "Duo Push enviado a: {device}. Allí se le pedirá este código.",
    },
    a_moment: "un momento",
    another_way: "Elegir otra forma",
    answered: "Llamada contestada. Pulse una tecla de su teléfono para aprobar.",
    app: "Aplicación",
    approval_awaited: "Esperando la aprobación",
    back_to_form: "Volver al formulario",
    call_me: "Llamarme",
    code_hint: "De Duo Mobile, de un SMS, de un token físico o un código de omisión.",
    code_incorrect: "Ese código no era correcto.",
    code_label: "Código de acceso",
    code_needs_script: "Para introducir un código de acceso se necesita JavaScript.",
    code_spoken: "Código: {code}",
    continue_: "Continuar",
    enroll_code: "O escriba este código en Duo Mobile:",
    enroll_done: "Ya lo he configurado",
    enroll_open: "¿En este teléfono? Abrir Duo Mobile",
    enroll_portal: "Necesita Duo Mobile en su teléfono para continuar. Configurarlo lleva unos \
                    minutos.",
    enroll_qr: "Código QR para Duo Mobile",
    enroll_start: "Configurar",
    enroll_step_install: "Instale Duo Mobile en su teléfono.",
    enroll_step_return: "Espere aquí. Esta página continúa sola.",
    enroll_step_scan: "En Duo Mobile, añada una cuenta y escanee este código.",
    form_from_elsewhere: "Venía de otro sitio, y esta dirección no acepta formularios de otros sitios. Avise a su servicio de asistencia si debería aceptarlos.",
    from: "Desde",
    help: "¿Necesita ayuda?",
    help_desk: "Contacte con su servicio de asistencia.",
    minutes: "{number} minutos",
    no_cookies: "Su navegador no conserva las cookies de este sitio. Permítalas y vuelva a cargar esta página.",
    not_asked: "¿No ha pedido esto? Pulse Rechazar en su teléfono y denúncielo.",
    offline: "Conexión perdida. Intentando de nuevo…",
    one_moment: "Un momento…",
    one_second: "{number} segundo",
    other_devices: "Otros dispositivos",
    passcode_now: "Un código funciona ahora mismo.",
    reference: "Referencia: {reference}",
    second_left: "Queda {number} segundo",
    seconds: "{number} segundos",
    seconds_left: "Quedan {number} segundos",
    send_again: "Enviar otra vez",
    send_push: "Enviar un push",
    sign_out_asked: "¿Cerrar la sesión?",
    sign_out_now: "Cerrar la sesión",
    signed_in_as: "Sesión iniciada como {user}.",
    start_again: "Empezar de nuevo",
    switch_user: "Iniciar sesión como otra persona",
    text_codes: "Códigos por SMS",
    time: "Hora",
    try_again: "Intentar de nuevo",
    until: "Válido hasta las {time} UTC.",
    verify_code: "Verificar el código",
    your_phone: "su teléfono",
};
