use super::*;
use crate::annotate::texts::CATALOGS;
use crate::export::samples::{message, record, session};
use crate::record::{How, SessionId};

/// The page of `sessions` sessions that each get the same message from the server, `times` times.
fn page(view: &mut Html, sessions: u64, times: u64, text: &str) -> String {
    let mut source = session();
    for number in 0..sessions * times {
        source.session = Some(SessionId(number % sessions + 1));
        let message = Message {
            direction: Direction::ServerToClient,
            ..message(Opcode::Text, text.as_bytes())
        };
        let _ = view.record(&record(&source, RecordKind::Message(&message)));
    }
    for number in 1..=sessions {
        source.session = Some(SessionId(number));
        let _ = view.record(&record(
            &source,
            RecordKind::SessionEnd(&crate::record::SessionEnd::after_nothing(How::Fin)),
        ));
    }
    view.finish();
    String::from_utf8(std::mem::take(view.output())).unwrap()
}

fn view(bound: usize) -> Html {
    Html::new(CATALOGS[0], bound, false, false)
}

#[test]
fn a_broadcast_is_one_row_with_a_head_for_each() {
    let page = page(&mut view(1 << 20), 3, 1, "{\"type\":\"say\"}");
    assert_eq!(page.matches("<g class=down>").count(), 1);
    assert!(
        page.contains(">3× text 14 {&quot;type&quot;:&quot;say&quot;}</text>"),
        "{page}"
    );
    assert_eq!(page.matches("\n<li id=m").count(), 3);
    assert!(
        page.contains("<pre>{\n  &quot;type&quot;: &quot;say&quot;\n}\n</pre>"),
        "{page}"
    );
}

#[test]
fn what_is_kept_is_bounded_and_what_is_left_out_is_said() {
    let mut bounded = view(20_000);
    let shown = page(&mut bounded, 2, 100, &"x".repeat(200));
    let told = shown.matches("\n<li id=m").count() as u64;
    assert!(told > 5 && told < 100, "{told}");
    assert!(shown.contains(&format!("{} message(s), 0 session(s)", 200 - told)));
    assert!(shown.len() < 80_000);
    assert!(bounded.notes()[1].contains("left out"), "{:?}", bounded.notes());
    let shown = page(&mut view(1 << 30), MAX_SESSIONS as u64 + 10, 1, "x");
    assert!(shown.contains("10 message(s), 0 session(s)"));
}

#[test]
fn a_long_message_is_cut_and_says_so_unless_full() {
    let text = "猪".repeat(100_000);
    let cut = page(&mut view(64 << 20), 1, 1, &text);
    assert!(cut.len() < 100_000);
    let rest = cut.split("<p>").find(|part| part.contains("more not shown"));
    assert!(
        rest.is_some_and(|rest| rest.starts_with("234465 bytes more")),
        "{rest:?}"
    );
    let full = page(&mut Html::new(CATALOGS[0], 64 << 20, true, false), 1, 1, &text);
    assert!(full.len() > 300_000);
}

#[test]
fn the_page_has_its_language_and_the_policy_that_lets_its_own_script_run() {
    for catalog in CATALOGS {
        let page = page(&mut Html::new(catalog, 1 << 20, false, false), 1, 1, "x");
        assert!(page.contains(&format!("<html lang={}>", catalog.tag)));
        assert!(page.contains("default-src 'none'; style-src 'unsafe-inline'; script-src 'sha256-"));
        assert_eq!(page.matches("<script>").count(), 1);
    }
}
