//! Programs that people run, HTTP libraries of programs, and gRPC calls.

use super::*;
use duo_mfa::http::Client::{Hold, Page, Refuse, RefuseGrpc};

const PYPI: &str = "application/vnd.pypi.simple.v1+json, application/vnd.pypi.simple.v1+html; q=0.1, text/html; q=0.01";
const NPM: &str = "application/vnd.npm.install-v1+json; q=1.0, application/json; q=0.8, */*";

pub(super) const ROWS: &[Row] = &[
    ("no header at all", &[], Hold),
    ("curl", &[("user-agent", "curl/8.5.0"), ANY], Hold),
    ("curl that asks for HTML", &[("user-agent", "curl/8.5.0"), ("accept", "text/html")], Page),
    ("wget", &[("user-agent", "Wget/1.21.4"), ANY, ("connection", "Keep-Alive")], Hold),
    ("wget2", &[("user-agent", "wget2/2.1.0"), ANY], Hold),
    ("HTTPie", &[("user-agent", "HTTPie/3.2.2"), ANY], Hold),
    (
        "HTTPie, JSON",
        &[
            ("user-agent", "HTTPie/3.2.2"),
            ("accept", "application/json, */*;q=0.5"),
            ("content-type", "application/json"),
        ],
        Hold,
    ),
    ("requests of Python", &[("user-agent", "python-requests/2.31.0"), ANY], Hold),
    ("httpx", &[("user-agent", "python-httpx/0.27.0"), ANY], Hold),
    ("aiohttp", &[("user-agent", "Python/3.12 aiohttp/3.9.5"), ANY], Hold),
    ("urllib of Python", &[("user-agent", "Python-urllib/3.12"), ("connection", "close")], Hold),
    ("Go", &[("user-agent", "Go-http-client/2.0")], Hold),
    ("Java's HttpClient", &[("user-agent", "Java-http-client/17.0.10")], Hold),
    (
        "Java's HttpClient on plain HTTP",
        &[
            ("connection", "Upgrade, HTTP2-Settings"),
            ("http2-settings", "AAEAAEAAAAIAAAAB"),
            ("upgrade", "h2c"),
            ("user-agent", "Java-http-client/11.0.22"),
        ],
        Hold,
    ),
    (
        "Java's HttpURLConnection",
        &[
            ("user-agent", "Java/1.8.0_402"),
            ("accept", "text/html, image/gif, image/jpeg, *; q=.2, */*; q=.2"),
        ],
        Hold,
    ),
    (
        "Java's HttpURLConnection since 21",
        &[
            ("user-agent", "Java/21.0.2"),
            ("accept", "text/html, image/gif, image/jpeg, */*; q=0.2"),
        ],
        Hold,
    ),
    (
        "Spring",
        &[
            ("user-agent", "Java/17.0.10"),
            ("accept", "text/plain, application/json, application/*+json, */*"),
        ],
        Hold,
    ),
    ("Apache HttpClient", &[("user-agent", "Apache-HttpClient/5.3 (Java/17.0.10)")], Hold),
    ("OkHttp", &[("user-agent", "okhttp/4.12.0")], Hold),
    (
        "axios",
        &[("user-agent", "axios/1.6.8"), ("accept", "application/json, text/plain, */*")],
        Hold,
    ),
    (
        "Node's fetch",
        &[
            ANY,
            ("accept-language", "*"),
            CORS,
            ("user-agent", "node"),
            ("accept-encoding", "br, gzip, deflate"),
        ],
        Hold,
    ),
    (
        "Node's fetch, POST",
        &[
            ANY,
            ("accept-language", "*"),
            CORS,
            ("user-agent", "node"),
            ("content-type", "application/json"),
        ],
        Hold,
    ),
    ("undici", &[ANY, ("accept-language", "*"), CORS, ("user-agent", "undici")], Hold),
    ("undici, request", &[], Hold),
    (
        "node-fetch",
        &[("user-agent", "node-fetch/1.0 (+https://github.com/bitinn/node-fetch)"), ANY],
        Hold,
    ),
    ("got", &[("user-agent", "got (https://github.com/sindresorhus/got)")], Hold),
    ("Deno", &[ANY, ("accept-language", "*"), ("user-agent", "Deno/1.43.1")], Hold),
    ("Bun", &[("user-agent", "Bun/1.1.8"), ANY, ("connection", "keep-alive")], Hold),
    ("pip", &[("user-agent", "pip/24.0 {\"ci\":null,\"cpu\":\"x86_64\"}"), ("accept", PYPI)], Hold),
    (
        "pip 21",
        &[("user-agent", "pip/21.3.1 {\"ci\":null,\"cpu\":\"x86_64\"}"), ("accept", "text/html")],
        Hold,
    ),
    (
        "uv",
        &[
            ("user-agent", "uv/0.2.5 {\"installer\":{\"name\":\"uv\"}}"),
            (
                "accept",
                "application/vnd.pypi.simple.v1+json, application/vnd.pypi.simple.v1+html;q=0.2, text/html;q=0.01",
            ),
        ],
        Hold,
    ),
    (
        "poetry",
        &[("user-agent", "poetry/1.8.2 CPython/3.12.3 Linux/6.5.0"), ("accept", PYPI)],
        Hold,
    ),
    (
        "npm",
        &[
            ("user-agent", "npm/10.5.2 node/v20.13.1 linux x64 workspaces/false"),
            ("accept", NPM),
            ("npm-command", "install"),
        ],
        Hold,
    ),
    (
        "yarn",
        &[("user-agent", "yarn/1.22.22 npm/? node/v20.13.1 linux x64"), ("accept", NPM)],
        Hold,
    ),
    ("pnpm", &[("user-agent", "pnpm/9.1.1 npm/? node/v20.13.1 linux x64"), ("accept", NPM)], Hold),
    ("cargo", &[("user-agent", "cargo/1.78.0 (54d8815d0 2024-03-26)"), ANY], Hold),
    (
        "git",
        &[("user-agent", "git/2.43.0"), ANY, ("pragma", "no-cache"), ("git-protocol", "version=2")],
        Hold,
    ),
    (
        "git, a pack",
        &[
            ("user-agent", "git/2.43.0"),
            ("content-type", "application/x-git-upload-pack-request"),
            ("accept", "application/x-git-upload-pack-result"),
        ],
        Hold,
    ),
    (
        "git-lfs",
        &[
            ("user-agent", "git-lfs/3.4.1 (GitHub; linux amd64; go 1.22.2)"),
            ("accept", "application/vnd.git-lfs+json"),
        ],
        Hold,
    ),
    (
        "docker",
        &[(
            "user-agent",
            "docker/26.1.1 go/go1.21.9 git-commit/ac2de55 kernel/6.5.0 os/linux arch/amd64 UpstreamClient(Docker-Client/26.1.1 \\(linux\\))",
        )],
        Hold,
    ),
    (
        "containerd, a manifest",
        &[
            ("user-agent", "containerd/1.7.16+unknown"),
            (
                "accept",
                "application/vnd.docker.distribution.manifest.v2+json, application/vnd.oci.image.index.v1+json, */*",
            ),
        ],
        Hold,
    ),
    (
        "kubectl",
        &[
            ("user-agent", "kubectl/v1.30.0 (linux/amd64) kubernetes/7c48c2b"),
            (
                "accept",
                "application/json;as=Table;v=v1;g=meta.k8s.io,application/json;as=Table;v=v1beta1;g=meta.k8s.io,application/json",
            ),
        ],
        Hold,
    ),
    (
        "kubectl exec",
        &[
            ("user-agent", "kubectl/v1.30.0 (linux/amd64) kubernetes/7c48c2b"),
            ("connection", "Upgrade"),
            ("upgrade", "SPDY/3.1"),
        ],
        Refuse,
    ),
    ("helm", &[("user-agent", "Helm/3.14.4")], Hold),
    (
        "terraform",
        &[
            ("user-agent", "HashiCorp Terraform/1.8.3 (+https://www.terraform.io)"),
            ("accept", "application/json"),
        ],
        Hold,
    ),
    ("aws", &[("user-agent", "aws-cli/2.15.48 Python/3.11.8 Linux/6.5.0 exe/x86_64")], Hold),
    (
        "Maven",
        &[
            ("user-agent", "Apache-Maven/3.9.6 (Java 17.0.10; Linux 6.5.0)"),
            ("cache-control", "no-cache"),
        ],
        Hold,
    ),
    (
        "Gradle",
        &[
            ("user-agent", "Gradle/8.7 (Linux;6.5.0;amd64) (Eclipse Adoptium;17.0.10;17.0.10+7)"),
            ANY,
        ],
        Hold,
    ),
    (
        "NuGet",
        &[
            ("user-agent", "NuGet .NET Core MSBuild Task/6.9.1 (Ubuntu 22.04.4 LTS)"),
            ("accept", "application/atom+xml, application/xml"),
        ],
        Hold,
    ),
    (".NET's HttpClient", &[], Hold),
    ("apt", &[("user-agent", "Debian APT-HTTP/1.3 (2.6.1)"), ("accept", "text/*")], Hold),
    ("Ruby", &[ANY, ("user-agent", "Ruby")], Hold),
    ("Perl", &[("user-agent", "libwww-perl/6.76")], Hold),
    ("PHP's Guzzle", &[("user-agent", "GuzzleHttp/7")], Hold),
    (
        "R",
        &[
            ("user-agent", "libcurl/8.5.0 r-curl/5.2.1 httr/1.4.7"),
            ("accept", "application/json, text/xml, application/xml, */*"),
        ],
        Hold,
    ),
    ("Emacs", &[("user-agent", "URL/Emacs Emacs/29.3 (X11; x86_64-pc-linux-gnu)"), ANY], Hold),
    ("Postman", &[("user-agent", "PostmanRuntime/7.38.0"), ANY, ("postman-token", "5f2a")], Hold),
    (
        "Windows PowerShell",
        &[(
            "user-agent",
            "Mozilla/5.0 (Windows NT; Windows NT 10.0; en-US) WindowsPowerShell/5.1.22621.2506",
        )],
        Hold,
    ),
    (
        "PowerShell",
        &[(
            "user-agent",
            "Mozilla/5.0 (Windows NT 10.0; Microsoft Windows 10.0.22631; en-US) PowerShell/7.4.2",
        )],
        Hold,
    ),
    (
        "an application of Apple's systems",
        &[
            ("user-agent", "Reports/1.4.2 CFNetwork/1490.0.4 Darwin/23.2.0"),
            ANY,
            ("accept-language", "en-US,en;q=0.9"),
        ],
        Hold,
    ),
    ("Dart", &[("user-agent", "Dart/3.3 (dart:io)")], Hold),
    ("a script that calls itself Mozilla", &[("user-agent", "Mozilla/5.0"), ANY], Refuse),
    (
        "gRPC in Go",
        &[
            ("user-agent", "grpc-go/1.63.2"),
            ("content-type", "application/grpc"),
            ("te", "trailers"),
        ],
        RefuseGrpc,
    ),
    (
        "gRPC in Java",
        &[
            ("user-agent", "grpc-java-netty/1.63.0"),
            ("content-type", "application/grpc+proto"),
            ("te", "trailers"),
        ],
        RefuseGrpc,
    ),
    (
        "gRPC in a browser",
        &[
            CHROME,
            ANY,
            ("content-type", "application/grpc-web+proto"),
            ("x-grpc-web", "1"),
            OWN_SITE,
            CORS,
            EMPTY,
        ],
        Refuse,
    ),
];
