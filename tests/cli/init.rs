//! `init`: files that the program itself has nothing against. `make examples` gives them to a real Envoy
//! and to the schemas of the resources.

use crate::run::{Ran, duo_mfa};
use serde_json::{Value, json};
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

static NEXT: AtomicU32 = AtomicU32::new(0);

/// A folder that is gone with this.
struct Folder(PathBuf);

impl Folder {
    fn new() -> Self {
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let name = format!("init-{}-{number}", std::process::id());
        Self(Path::new(env!("CARGO_TARGET_TMPDIR")).join(name))
    }

    fn path(&self) -> &str {
        self.0.to_str().unwrap()
    }

    fn read(&self, name: &str) -> String {
        fs::read_to_string(self.0.join(name)).unwrap()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

const ISSUER: [&str; 2] = ["--issuer", "https://login.corp.test/realms/staff"];
const UNIVERSAL: [&str; 4] = ["--prompt", "universal", "--client-id", "DIWEBSDKWEBSDKWEBSDK"];

fn init(folder: &Folder, more: &[&str]) -> Ran {
    let mut line = vec!["init", "--api-host", "api-1a2b3c4d.duosecurity.com"];
    line.extend(["--integration-key", "DIWJ8X6AEYOR5OMC6TQ1", "--host", "app.corp.test"]);
    line.extend(["--folder", folder.path()]);
    line.extend(more);
    duo_mfa(&line)
}

/// Each target, and the first factors that it has files for.
const TARGETS: [(&str, &[&str]); 4] = [
    ("envoy", &["basic", "jwt", "oauth2-proxy", "mtls"]),
    ("kubernetes", &["basic", "jwt", "oauth2-proxy"]),
    ("istio", &["jwt"]),
    ("envoy-gateway", &["jwt"]),
];

fn every(look: impl Fn(&Folder, &Ran, &str)) {
    for (target, factors) in TARGETS {
        for factor in factors {
            for prompt in [&[][..], &UNIVERSAL] {
                let folder = Folder::new();
                let mut more = vec!["--for", target, "--first-factor", factor];
                more.extend(if *factor == "jwt" { &ISSUER[..] } else { &[] });
                more.extend(prompt);
                let ran = init(&folder, &more);
                assert_eq!((ran.status, &*ran.errors), (0, ""), "{more:?}");
                look(&folder, &ran, target);
            }
        }
    }
}

/// The command in the answer that begins so.
fn command<'r>(ran: &'r Ran, start: &str) -> Vec<&'r str> {
    let line = ran.output.lines().find_map(|line| line.trim().strip_prefix(start)).unwrap();
    line.split_whitespace().collect()
}

#[test]
fn the_files_pass_the_check_that_the_answer_shows_without_a_finding() {
    every(|_, ran, target| {
        let checked = duo_mfa(&command(ran, "duo-mfa "));
        assert_eq!(checked.status, 0, "{target}: {checked:?}");
        let findings: Vec<_> =
            checked.output.lines().filter(|line| line.starts_with("  ")).collect();
        let not_set = "  not set here, so the value was not checked: DUO_";
        let is_fine = |line: &&str| line.starts_with(not_set);
        assert!(findings.iter().all(is_fine), "{target}: {}", checked.output);
        assert!(!findings.is_empty(), "{target}: {}", checked.output);
    });
}

#[test]
fn nothing_of_the_examples_is_left() {
    every(|folder, _, target| {
        for entry in fs::read_dir(folder.path()).unwrap() {
            let path = entry.unwrap().path();
            let text = fs::read_to_string(&path).unwrap();
            for left in [
                "xxxxxxxx",
                "DIXXX",
                "DIZZZ",
                "idp.example.com",
                "app.example.com",
                "#universal",
                "strip_domain",
                "BEFORE",
            ] {
                assert!(!text.contains(left), "{target}: {}: {left}", path.display());
            }
        }
    });
}

#[test]
fn secrets_are_in_one_file_that_its_owner_alone_can_read() {
    every(|folder, _, target| {
        let file = folder.0.join("duo-mfa.env");
        let mode = fs::metadata(&file).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{target}");
        let text = folder.read("duo-mfa.env");
        let key = text.lines().find_map(|line| line.strip_prefix("DUO_MFA_COOKIE_KEY=")).unwrap();
        assert_eq!(key.len(), 44, "{target}");
        for entry in fs::read_dir(folder.path()).unwrap() {
            let path = entry.unwrap().path();
            let has_key = fs::read_to_string(&path).unwrap().contains(key);
            assert_eq!(has_key, path == file, "{}", path.display());
        }
    });
}

#[test]
fn the_next_three_commands_end_with_check_and_doctor() {
    every(|folder, ran, target| {
        let commands: Vec<_> =
            ran.output.lines().filter_map(|line| line.strip_prefix("  ")).collect();
        let [first, check, doctor] = commands[..] else { panic!("{}", ran.output) };
        let first_word = if target == "envoy" { "(set -a;" } else { "kubectl -n " };
        assert!(first.starts_with(first_word), "{first}");
        assert!(check.starts_with("duo-mfa check "), "{check}");
        assert!(doctor.starts_with("duo-mfa doctor "), "{doctor}");
        let wrote = ran.output.lines().filter(|line| line.starts_with("wrote ")).count();
        assert_eq!(wrote, fs::read_dir(folder.path()).unwrap().count());
    });
}

#[test]
fn the_options_are_where_they_belong() {
    let folder = Folder::new();
    let more = [
        "--for",
        "envoy",
        "--upstream",
        "10.0.0.9:9090",
        "--audience",
        "staff",
        "--jwks",
        "https://keys.corp.test/k.json",
    ];
    let ran = init(&folder, &[&more[..], &ISSUER, &UNIVERSAL].concat());
    assert_eq!(ran.status, 0, "{ran:?}");
    let text = folder.read("envoy.yaml");
    for part in [
        "address: 10.0.0.9, port_value: 9090",
        "audiences: ['staff']",
        "issuer: https://login.corp.test/realms/staff\n",
        "uri: \"https://keys.corp.test/k.json\"",
        "sni: keys.corp.test",
        "domains: [app.corp.test, \"app.corp.test:*\"]",
        "\"client_id\": \"DIWEBSDKWEBSDKWEBSDK\"",
        "host_env_keys: [DUO_SECRET_KEY, DUO_MFA_COOKIE_KEY, DUO_CLIENT_SECRET]",
    ] {
        assert!(text.contains(part), "{part}: {text}");
    }
    let folder = Folder::new();
    let more = ["--for", "kubernetes", "--namespace", "shop", "--upstream", "web.shop.svc:81"];
    assert_eq!(init(&folder, &[&more[..], &ISSUER].concat()).status, 0);
    assert!(folder.read("kustomization.yaml").contains("namespace: shop"));
    assert!(folder.read("network-policy.yaml").contains("app.kubernetes.io/name: web}"));
    assert!(folder.read("envoy.yaml").contains("address: web.shop.svc, port_value: 81"));
    let folder = Folder::new();
    let more = ["--for", "envoy-gateway", "--namespace", "web", "--image", "r.corp.test/m:2"];
    assert_eq!(init(&folder, &[&more[..], &ISSUER].concat()).status, 0);
    assert!(folder.read("mfa.yaml").contains("cluster: httproute/web/duo-api/rule/0"));
    assert!(folder.read("mfa.yaml").contains("url: r.corp.test/m:2\n"));
}

/// As Entra ID, Auth0 and others name an application.
#[test]
fn audiences_of_all_kinds_are_written_as_texts() {
    for audience in [
        "6f9619ff-8b86-d011-b42d-00c04fc964ff",
        "api://6f9619ff-8b86-d011-b42d-00c04fc964ff",
        "https://app.corp.test/",
        "42",
        "true",
        "a#b{c}",
        "app.corp.test",
    ] {
        let folder = Folder::new();
        let more = ["--for", "envoy", "--audience", audience];
        let ran = init(&folder, &[&more[..], &ISSUER].concat());
        assert_eq!(ran.status, 0, "{ran:?}");
        let text = folder.read("envoy.yaml");
        let line = text.lines().find(|line| line.contains("audiences: ")).unwrap();
        let read: Value = serde_saphyr::from_str(line.trim()).unwrap();
        assert_eq!(read["audiences"], json!([audience]), "{line}");
    }
}

/// The rules of a made NetworkPolicy, by the name of the object.
fn policy(folder: &Folder, file: &str, name: &str) -> Value {
    let documents: Vec<Value> = serde_saphyr::from_multiple(&folder.read(file)).unwrap();
    documents.into_iter().find(|it| it["metadata"]["name"] == name).unwrap()
}

/// The pods with this name, in the namespace of the policy or another one.
fn pods(namespace: Option<&str>, name: &str) -> Value {
    let mut peer = json!({"podSelector": {"matchLabels": {"app.kubernetes.io/name": name}}});
    if let Some(namespace) = namespace {
        peer["namespaceSelector"] =
            json!({"matchLabels": {"kubernetes.io/metadata.name": namespace}});
    }
    peer
}

fn tcp(port: u16) -> Value {
    json!([{"protocol": "TCP", "port": port}])
}

#[test]
fn network_policies_let_the_first_factor_and_the_service_be_reached() {
    let start = ["--for", "kubernetes", "--first-factor", "oauth2-proxy", "--upstream"];
    for (upstream, namespace) in [
        ("web.shop:81", Some("shop")),
        ("web.shop.svc.cluster.local:81", Some("shop")),
        ("web:81", None),
        ("web.app.svc:81", None),
    ] {
        let folder = Folder::new();
        let ran = init(&folder, &[&start[..], &[upstream]].concat());
        assert_eq!(ran.status, 0, "{ran:?}");
        let file = namespace.map_or("network-policy.yaml", |_| "app-network-policy.yaml");
        let apart = folder.0.join("app-network-policy.yaml");
        assert_eq!(apart.exists(), namespace.is_some(), "{upstream}");
        let (to, from) = (pods(namespace, "web"), pods(namespace.map(|_| "app"), "duo-mfa"));
        let app = policy(&folder, file, "app-behind-duo-mfa");
        assert_eq!(app["metadata"]["namespace"].as_str(), namespace, "{app}");
        assert_eq!(app["spec"]["podSelector"], pods(None, "web")["podSelector"]);
        assert_eq!(app["spec"]["ingress"], json!([{"from": [from], "ports": tcp(81)}]));
        let envoy = policy(&folder, "network-policy.yaml", "duo-mfa");
        let egress = envoy["spec"]["egress"].as_array().unwrap();
        assert!(egress.contains(&json!({"to": [to], "ports": tcp(81)})), "{envoy}");
        let oauth2_proxy = json!({"to": [pods(None, "oauth2-proxy")], "ports": tcp(4180)});
        assert!(egress.contains(&oauth2_proxy), "{envoy}");
        // A policy sees the pods' port, which the Service does not tell.
        assert!(folder.read(file).contains("port: 81}]    # change, if"), "{upstream}");
    }
}

#[test]
fn an_address_and_a_host_elsewhere_tell_of_no_pods() {
    for upstream in ["10.0.0.9:81", "app.corp.test:81"] {
        let folder = Folder::new();
        let more = ["--for", "kubernetes", "--first-factor", "basic", "--upstream", upstream];
        assert_eq!(init(&folder, &more).status, 0);
        let text = folder.read("network-policy.yaml");
        assert_eq!(text.matches("port: 8080}]").count(), 2, "{text}");
        assert!(text.contains("name: app}}}]                # change"), "{text}");
    }
}

#[test]
fn the_next_commands_can_be_pasted() {
    for name in ["a b", "it's", "$HOME", "plain"] {
        let outer = Folder::new();
        let folder = Folder(outer.0.join(name));
        let ran = init(&folder, &["--for", "envoy", "--first-factor", "basic"]);
        assert_eq!(ran.status, 0, "{ran:?}");
        let check = ran.output.lines().find(|line| line.contains("duo-mfa check ")).unwrap();
        let (_, words) = check.split_once("duo-mfa check ").unwrap();
        let print = format!("printf '%s\\n' {words}");
        let said = std::process::Command::new("sh").args(["-c", &print]).output().unwrap();
        let said = String::from_utf8(said.stdout).unwrap();
        let path = folder.path();
        assert_eq!(said, format!("{path}/envoy.yaml\n--env-file\n{path}/duo-mfa.env\n"));
    }
}

#[test]
fn a_value_that_no_option_gives_keeps_its_mark() {
    let marked = |folder: &Folder, value: &str| {
        let text = folder.read("gateway.yaml");
        let line = text.lines().find(|line| line.contains(value));
        line.unwrap_or_else(|| panic!("{value} is not in\n{text}")).ends_with("# change")
    };
    let usual = Folder::new();
    init(&usual, &["--for", "istio", "--issuer", "https://login.corp.test"]);
    assert!(marked(&usual, "istio: ingressgateway"));
    assert!(marked(&usual, "url: oci://registry.example.com/duo-mfa:"));
    assert!(!marked(&usual, "issuer: https://login.corp.test"));
    let own = Folder::new();
    let image = ["--image", "registry.corp.test/duo-mfa:1"];
    init(&own, &[&["--for", "istio"], &ISSUER[..], &image].concat());
    assert!(!marked(&own, "url: oci://registry.corp.test/duo-mfa:1"));
}

#[test]
fn no_file_is_overwritten() {
    let folder = Folder::new();
    fs::create_dir_all(folder.path()).unwrap();
    fs::write(folder.0.join("duo-mfa.env"), "mine").unwrap();
    let ran = init(&folder, &["--for", "envoy", "--first-factor", "basic"]);
    assert_eq!(ran.status, 2, "{ran:?}");
    assert!(ran.errors.contains("duo-mfa.env is there already, so nothing was written"), "{ran:?}");
    assert_eq!(folder.read("duo-mfa.env"), "mine");
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
}

#[test]
fn options_that_do_not_fit_together_are_named() {
    for (more, said) in [
        (&["--for", "envoy"][..], "needs --issuer"),
        (&["--for", "istio", "--first-factor", "basic"], "only --first-factor jwt"),
        (&["--for", "kubernetes", "--first-factor", "mtls"], "use --for envoy"),
        (&["--for", "envoy", "--first-factor", "basic", "--prompt", "universal"], "--client-id"),
        (
            &["--for", "envoy", "--first-factor", "basic", "--client-id", "DIWEBSDKWEBSDKWEBSDK"],
            "--prompt universal",
        ),
    ] {
        let folder = Folder::new();
        let ran = init(&folder, more);
        assert_eq!(ran.status, 1, "{ran:?}");
        assert!(ran.errors.contains(said), "{ran:?}");
        assert!(!folder.0.exists(), "{more:?}");
    }
    for (option, value) in [
        ("--upstream", "app"),
        ("--issuer", "http://idp.test"),
        ("--issuer", "https://idp.test/{x}"),
        ("--issuer", "https://idp.test:8443/x"),
        ("--client-id", "short"),
        ("--namespace", "a b"),
        ("--namespace", "No"),
        ("--audience", "a: b"),
        ("--audience", "a'b"),
    ] {
        let folder = Folder::new();
        let ran = init(&folder, &["--for", "envoy", option, value]);
        assert_eq!((ran.status, ran.errors.contains(value)), (2, true), "{ran:?}");
    }
}

#[test]
fn the_answer_of_the_guide_is_that_of_the_program() {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/cli.md");
    let text = fs::read_to_string(page).unwrap();
    let (_, block) = text.split_once("```console init\n$ duo-mfa ").unwrap();
    let (shown, _) = block.split_once("```").unwrap();
    let (line, answer) = shown.split_once('\n').unwrap();
    let folder = Folder::new();
    fs::create_dir_all(folder.path()).unwrap();
    let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_duo-mfa"));
    let output = command.args(line.split_whitespace()).current_dir(folder.path()).output().unwrap();
    assert_eq!(String::from_utf8(output.stdout).unwrap(), answer);
}
