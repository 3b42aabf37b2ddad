use super::*;
use crate::annotate::texts::CATALOGS;
use crate::base::Rule;
use crate::export::samples::{handshake, message, record, session};
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
    assert!(shown.contains("10 message(s), 10 session(s)"));
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

/// A refused upgrade whose target is no good: the violation is told before the handshake.
fn refused(view: &mut Html) -> String {
    let source = session();
    let mut handshake = handshake(
        "http://me:S3cr3t@h.test/?token=S3cr3t",
        &[("Cookie", "sid=S3cr3t-cookie")],
    );
    handshake.request.http_1_0 = true;
    if let Some(response) = &mut handshake.response {
        response.body = Some(b"no cookie S3cr3t-cookie".to_vec());
    }
    let violation = Violation::new(Rule::ALL[0], "what is S3cr3t-cookie, or ?access_token=S3cr3t");
    let violation = RecordKind::Violation {
        direction: Direction::ClientToServer,
        violation: &violation,
    };
    let end = crate::record::SessionEnd::after_nothing(How::Refused);
    for kind in [
        violation,
        RecordKind::Handshake(&handshake),
        RecordKind::SessionEnd(&end),
    ] {
        let _ = view.record(&record(&source, kind));
    }
    view.finish();
    String::from_utf8(std::mem::take(view.output())).unwrap()
}

#[test]
fn a_violation_before_the_handshake_neither_drops_it_nor_tells_its_secrets() {
    let shown = refused(&mut view(1 << 20));
    assert!(!shown.contains("S3cr3t"), "{shown}");
    assert!(!shown.contains(CATALOGS[0].w_no_handshake), "{shown}");
    assert!(shown.contains("no cookie REDACTED"), "{shown}");
    assert!(
        shown.contains("GET http://REDACTED@h.test/?token=REDACTED HTTP/1.0"),
        "{shown}"
    );
    let with_secrets = refused(&mut Html::new(CATALOGS[0], 1 << 20, false, true));
    assert!(with_secrets.contains("sid=S3cr3t-cookie"), "{with_secrets}");
}

#[test]
fn a_session_that_is_left_out_does_not_come_back() {
    let mut view = view(1 << 30);
    let mut source = session();
    let mut tell = |view: &mut Html, number: u64, kind| {
        source.session = Some(SessionId(number));
        let _ = view.record(&record(&source, kind));
    };
    let last = MAX_SESSIONS as u64 + 1;
    let hi = message(Opcode::Text, b"hi");
    for number in 1..=last {
        tell(&mut view, number, RecordKind::Message(&hi));
    }
    view.remove(1);
    tell(&mut view, last, RecordKind::Message(&hi));
    assert!(!view.sessions.contains_key(&last));
    assert_eq!((view.messages_left_out, view.left_out.count), (2, 1));
}

#[test]
fn sessions_that_nobody_selects_are_bounded_by_their_bytes_alone() {
    let mut view = view(1 << 30);
    let mut source = session();
    let hi = message(Opcode::Text, b"hi");
    let handshake = handshake("/", &[]);
    for number in 1..=MAX_SESSIONS as u64 + 10 {
        source.session = Some(SessionId(number));
        view.unselected(&record(&source, RecordKind::Handshake(&handshake)));
    }
    let _ = view.record(&record(&source, RecordKind::Message(&hi)));
    assert_eq!((view.wanted, view.messages_left_out, view.left_out.count), (1, 0, 0));
    let mut small = self::view(20_000);
    for number in 1..=1_000 {
        source.session = Some(SessionId(number));
        small.unselected(&record(&source, RecordKind::Handshake(&handshake)));
        assert!(small.held <= 20_000 / 4);
    }
}

#[test]
fn extensions_count_among_what_is_kept() {
    let mut handshake = handshake("/", &[]);
    let before = size_of_handshake(&handshake);
    handshake.extensions = vec![Extension {
        name: "x".to_owned(),
        parameters: vec![("b".to_owned(), None); 1_000],
    }];
    assert!(size_of_handshake(&handshake) > before + 1_000 * size_of::<(String, Option<String>)>());
}
