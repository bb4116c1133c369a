use super::*;

fn likeness(path: &str) -> Result<Likeness, Ambiguous> {
    Likeness::of(path.as_bytes())
}

#[test]
fn path_that_some_reader_takes_for_another_may_be_it() {
    for (path, place, is_exact, is_below) in [
        ("/admin", "/admin", true, true),
        ("/admin/", "/admin", true, true),
        ("/admin/x", "/admin", false, true),
        ("/ADMIN/x", "/admin", false, true),
        ("/administration", "/admin", false, false),
        ("/x/admin", "/admin", false, false),
        ("/adm\u{130}n", "/admin", true, true),
        ("/adm\u{131}n", "/admin", true, true),
        ("/ta\u{17f}ks/x", "/tasks", false, true),
        ("/tas\u{212a}s", "/tasks", true, true),
        ("/ad\u{ff4d}in", "/admin", true, true),
        ("/\u{e0}dmin", "/admin", true, true),
        ("/a\u{300}dmin", "/admin", true, true),
        ("/admin\u{200b}", "/admin", true, true),
        ("/admin\u{85}", "/admin", true, true),
        ("/admin\u{416}", "/admin", true, true),
        ("/ admin", "/admin", true, true),
        ("/admin /x", "/admin", false, true),
        ("/admin. ./x", "/admin", false, true),
        ("/admin?x", "/admin", true, true),
        ("/admin/#x/y", "/admin", true, true),
        ("/admin\u{ff1f}x", "/admin", true, true),
        ("/admin\u{ff0f}x", "/admin", false, true),
        ("/admin\u{37e}x", "/admin", true, true),
        ("/admin::$data", "/admin", true, true),
        ("/admin:$I30:$INDEX_ALLOCATION/x", "/admin", false, true),
        ("/admin:x", "/admin", false, false),
        ("/files/B\u{fc}ro.pdf", "/admin", false, false),
        ("/files/B\u{fc}ro.pdf", "/files", false, true),
        ("/B\u{dc}RO/x", "/b\u{fc}ro", false, true),
        ("/bu\u{308}ro", "/b\u{fc}ro", true, true),
        ("/b\u{e4}ro", "/b\u{fc}ro", false, false),
        ("/АДМИН", "/админ", true, true),
        ("/Й", "/й", true, true),
        ("/и\u{306}", "/й", true, true),
        ("/отчёт", "/админ", false, false),
        ("/x", "/админ", false, false),
        ("/x", "/x\u{44f}", false, false),
        ("/x", "/x\u{200b}", true, true),
        ("/БЕТА", "/вета", false, false),
        ("/ΒΗΤΑ", "/γητα", false, false),
        ("/ЂА", "/ћа", false, false),
        ("/\u{20000}", "/\u{20001}", false, false),
        ("/管理/x", "/管理", false, true),
        ("/公開", "/管理", false, false),
        ("/\u{f9e4}", "/理", true, true),
        ("/\u{1c80}а", "/ва", true, true),
        ("/\u{1c80}а", "/a", false, false),
        ("/ж\u{1c80}", "/жв", true, true),
    ] {
        let (of, place) = (likeness(path).unwrap(), likeness(place).unwrap());
        assert_eq!(
            (of.may_be(&place, false), of.may_be(&place, true)),
            (is_exact, is_below),
            "{path}"
        );
    }
}

#[test]
fn short_name_of_windows_may_be_the_long_one() {
    for (path, place, may_be) in [
        ("/ADMINI~1/x", "/administration", true),
        ("/ad3f2c~1", "/administration", true),
        ("/ad~12", "/admin area", true),
        ("/report~1.htm", "/reporting.html", true),
        ("/ab~1.htm", "/ab.html", true),
        ("/ab~1.htm", "/ab.htm", false),
        ("/ab~1", "/a b", true),
        ("/eightc~1", "/eightchr", false),
        ("/ninech~1", "/ninechars", true),
        ("/admini~1", "/admin", false),
        ("/admini~1", "/documentation", false),
        ("/admini~x", "/administration", false),
        ("/~1", "/administration", false),
        ("/administration~1", "/administration", false),
    ] {
        let (of, place) = (likeness(path).unwrap(), likeness(place).unwrap());
        assert_eq!(of.may_be(&place, true), may_be, "{path}");
    }
}

#[test]
fn path_that_some_reader_resolves_has_no_likeness() {
    for path in [
        "/\u{2025}/x",
        "/public/\u{2025}/admin",
        "/public/\u{ff0e}\u{ff0e}/admin",
        "/public/ ../admin",
        "/public/.. /admin",
        "/public/..\u{200b}/admin",
        "/public/..\u{416}/admin",
        "/public/..\u{ff1b}/admin",
        "/public\u{ff0f}..\u{ff0f}admin",
        "/public\u{ff3c}..\u{ff3c}admin",
        "/public/\u{ff05}2e\u{ff05}2e/admin",
        "/public/%\u{200b}2e/x",
        "/...",
        "/public/.../admin",
        "/. ./x",
        "/ /admin",
        "/x/\u{301}/admin",
        "/\u{feff}/admin",
        "/\u{ff1b}/admin",
        "/(S(abc))/admin",
        "/..?/x",
    ] {
        assert_eq!(likeness(path), Err(Ambiguous), "{path:?}");
    }
    for path in [
        "/",
        "/files/50\u{ff05}\u{30aa}\u{30d5}.pdf",
        "/files/John\u{2019}s \u{2013} report (1).pdf",
        "/\u{1f600}/x",
        "/a.b/.well-known/x",
        "/v1/things:batchGet",
        "/~user/x",
        "/Products(1)/Name",
    ] {
        assert!(likeness(path).is_ok(), "{path:?}");
    }
}
