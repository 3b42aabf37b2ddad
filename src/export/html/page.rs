//! The page around sessions, ladder and messages.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest as _, Sha256};

use super::ladder::{MAX_ROWS, MAX_SESSIONS};
use super::markup::{element, line, put, shown_text};
use super::{Broken, Html, Session};
use crate::annotate::Story;
use crate::annotate::texts::{Arg, Words};
use crate::base::{Direction, Timestamp};
use crate::export::credentials::{find, without};
use crate::export::escape;
use crate::export::put::{endpoint, number};
use crate::export::stripped::Values;
use crate::export::url::{url, version};
use crate::export::utc::Utc;
use crate::record::Handshake;

const STYLE: &str = include_str!("page.css");
const SCRIPT: &str = include_str!("page.js");

/// Writes all of it.
pub(super) fn write(out: &mut Vec<u8>, view: &mut Html) {
    let catalog = view.language.catalog();
    put(out, "<!doctype html>\n<html lang=");
    put(out, catalog.tag);
    put(
        out,
        ">\n<meta charset=utf-8>\n<meta name=viewport content=\"width=device-width\">\n",
    );
    let hash = STANDARD.encode(Sha256::digest(SCRIPT));
    put(
        out,
        &format!(
            "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'; \
             script-src 'sha256-{hash}'; img-src data:; base-uri 'none'; form-action 'none'\">\n"
        ),
    );
    put(
        out,
        "<meta name=color-scheme content=\"light dark\">\n<meta name=referrer content=no-referrer>\n",
    );
    put(out, "<link rel=icon href=\"data:,\">\n");
    element(out, "title", catalog.w_title);
    put(out, "\n<style>");
    put(out, STYLE);
    put(out, "</style>\n<body>\n<a class=skip href=#messages>");
    put(out, catalog.w_skip);
    put(out, "</a>\n<header>");
    element(out, "h1", catalog.w_title);
    put(out, "<p>");
    put(out, catalog.w_utc);
    put(out, " ");
    if view.with_secrets {
        put(out, catalog.w_secrets);
    } else {
        let stripped = view.stripped;
        words(out, view, |words| words.w_credentials(Arg::Num(stripped)));
    }
    if view.messages_left_out + view.left_out.count > 0 {
        put(out, " <strong>");
        let (messages, sessions) = (view.messages_left_out, view.left_out.count);
        words(out, view, |words| {
            words.w_left_out(Arg::Num(messages), Arg::Num(sessions))
        });
        put(out, "</strong>");
    }
    put(out, "</p></header>\n<main>\n");
    if view.sessions.is_empty() {
        element(out, "p", catalog.w_none);
    } else {
        sessions(out, view);
        violations(out, view);
        ladder(out, view);
        messages(out, view);
    }
    put(out, "</main>\n<footer>wschat-sniff ");
    put(out, env!("CARGO_PKG_VERSION"));
    put(out, "</footer>\n<script>");
    put(out, SCRIPT);
    put(out, "</script>\n</html>\n");
}

fn words(out: &mut Vec<u8>, view: &Html, write: impl FnOnce(&mut Words<'_>)) {
    let story = Story::default();
    write(&mut view.language.words(&story, out, escape::line));
}

fn heading(out: &mut Vec<u8>, id: &str, text: &str) {
    put(out, "<section aria-labelledby=");
    put(out, id);
    put(out, ">");
    element(out, &format!("h2 id={id}"), text);
    put(out, "\n");
}

/// A table that scrolls where it does not fit; who has a keyboard only can scroll it too.
fn table(out: &mut Vec<u8>, label: &str, columns: &[&str]) {
    put(out, "<div class=wide role=group tabindex=0 aria-label=\"");
    line(out, label.as_bytes());
    put(out, "\"><table><thead><tr>");
    for column in columns {
        element(out, "th scope=col", column);
    }
    put(out, "</tr></thead><tbody>\n");
}

fn sessions(out: &mut Vec<u8>, view: &mut Html) {
    let catalog = view.language.catalog();
    heading(out, "sessions", catalog.w_sessions);
    let columns = [
        catalog.w_number,
        catalog.w_client,
        "URL",
        catalog.w_subprotocol,
        catalog.w_start,
        catalog.w_duration,
        catalog.w_from_client,
        catalog.w_from_server,
        catalog.w_end,
    ];
    table(out, catalog.w_sessions, &columns);
    for (id, session) in &view.sessions {
        put(out, "<tr><td>#");
        number(out, *id);
        put(out, "</td><td class=who>");
        // Where there is no name, the end of the address stands for it.
        if !session.name.starts_with(b":") && !session.name.is_empty() {
            shown_text(out, &session.name);
            put(out, "<br>");
        }
        endpoint(out, &session.source.client);
        put(out, "</td><td class=address><details><summary>");
        line(out, address(session).as_bytes());
        put(out, "</summary>");
        match &session.handshake {
            Some(handshake) => heads(out, session, handshake),
            None => element(out, "p", catalog.w_no_handshake),
        }
        put(out, "</details></td><td>");
        let subprotocol = session
            .handshake
            .as_ref()
            .and_then(|handshake| handshake.subprotocol.as_deref());
        line(out, subprotocol.unwrap_or_default().as_bytes());
        put(out, "</td><td class=start>");
        day_and_time(out, &mut view.utc, session.begun);
        put(out, "</td><td class=start>");
        if let Some((time, _)) = &session.end {
            let story = Story::default();
            let mut words = view.language.words(&story, out, escape::line);
            words.put(Arg::Time(time.since(session.begun)));
        }
        for count in [session.counts.client_to_server, session.counts.server_to_client] {
            put(out, "</td><td class=n>");
            number(out, count);
        }
        put(out, "</td><td class=how>");
        if let Some((_, end)) = &session.end {
            put(
                out,
                if end.verdict.is_abnormal() {
                    "<strong class=bad>"
                } else {
                    "<strong>"
                },
            );
            put(out, catalog.verdict_name(end.verdict));
            put(out, "</strong><br>");
            let mut verdict = Vec::new();
            catalog.verdict(end, &mut verdict);
            line(out, &verdict);
        }
        put(out, "</td></tr>\n");
    }
    put(out, "</tbody></table></div></section>\n");
}

/// The day and, in another line, the time.
fn day_and_time(out: &mut Vec<u8>, utc: &mut Utc, time: Timestamp) {
    let mut text = Vec::new();
    utc.write(&mut text, time);
    let (day, time) = text.split_at(10);
    out.extend_from_slice(day);
    put(out, "<br>");
    out.extend_from_slice(time.get(1..time.len() - 1).unwrap_or_default());
}

fn address(session: &Session) -> String {
    match &session.handshake {
        Some(handshake) => url(&session.source, &handshake.request),
        None => url(&session.source, &crate::record::Request::default()),
    }
}

/// Both heads of the handshake, as lines.
fn heads(out: &mut Vec<u8>, session: &Session, handshake: &Handshake) {
    let request = &handshake.request;
    let mut heads = vec![(
        format!(
            "{} {} {}",
            request.method,
            request.target,
            version(&session.source, request.http_1_0)
        ),
        &request.headers,
    )];
    if let Some(response) = &handshake.response {
        heads.push((
            format!(
                "{} {} {}",
                version(&session.source, false),
                response.status,
                response.reason
            ),
            &response.headers,
        ));
    }
    for (first, headers) in heads {
        put(out, "<pre>");
        line(out, first.as_bytes());
        for (name, value) in headers {
            put(out, "\n");
            line(out, format!("{name}: {value}").as_bytes());
        }
        put(out, "</pre>");
    }
    // Why it was refused.
    let body = handshake.response.as_ref().and_then(|response| response.body.as_ref());
    if let Some(body) = body.filter(|body| !body.is_empty()) {
        let mut shown = Vec::new();
        escape::lines(&mut shown, body, 0, usize::MAX);
        put(out, "<pre>");
        shown_text(out, &shown);
        put(out, "</pre>");
    }
}

fn violations(out: &mut Vec<u8>, view: &mut Html) {
    let catalog = view.language.catalog();
    if view.sessions.values().all(|session| session.violations.is_empty()) {
        return;
    }
    heading(out, "violations", catalog.w_violations);
    let columns = [
        catalog.w_number,
        catalog.w_time,
        catalog.w_packet,
        catalog.w_by,
        catalog.w_rule,
        catalog.w_detail,
    ];
    table(out, catalog.w_violations, &columns);
    for (id, session) in &view.sessions {
        let known = session.stripped.known();
        for broken in &session.violations {
            put(out, "<tr><td>#");
            number(out, *id);
            put(out, "</td><td class=start>");
            day_and_time(out, &mut view.utc, broken.time);
            put(out, "</td><td class=n>");
            number(out, broken.packet);
            put(out, "</td><td class=start>");
            put(
                out,
                match broken.direction {
                    Direction::ClientToServer => catalog.w_client,
                    Direction::ServerToClient => catalog.w_server,
                },
            );
            put(out, "</td><td class=start><code>");
            put(out, broken.rule.id());
            put(out, "</code><br>");
            put(out, broken.rule.rfc().unwrap_or_default());
            put(out, "</td><td>");
            line(out, told(broken, &known, view.with_secrets).as_bytes());
            put(out, "</td></tr>\n");
        }
    }
    put(out, "</tbody></table></div></section>\n");
}

/// What was wrong, without what is left out of the handshake, which may have come later.
fn told(broken: &Broken, known: &Values, with_secrets: bool) -> String {
    let mut what = broken.what.clone();
    if !with_secrets {
        known.hide(&mut what);
        what = without(&what, &find(&what)).into_owned();
    }
    what
}

fn ladder(out: &mut Vec<u8>, view: &mut Html) {
    let catalog = view.language.catalog();
    if view.ladder.is_empty() {
        return;
    }
    heading(out, "ladder", catalog.w_ladder);
    element(out, "p", catalog.w_ladder_about);
    if view.ladder.cut {
        put(out, "<p>");
        words(out, view, |words| {
            words.w_ladder_cut(Arg::Num(MAX_ROWS as u64), Arg::Num(MAX_SESSIONS as u64));
        });
        put(out, "</p>");
    }
    put(
        out,
        "<div class=\"wide drawn\" role=group tabindex=0 aria-labelledby=ladder>",
    );
    let sessions = &view.sessions;
    view.ladder.draw(out, &mut view.utc, catalog.w_ladder, |out, number| {
        if let Some(session) = sessions.get(&number) {
            shown_text(out, &session.name);
        }
    });
    put(out, "</div></section>\n");
}

fn messages(out: &mut Vec<u8>, view: &mut Html) {
    let catalog = view.language.catalog();
    heading(out, "messages", catalog.w_messages);
    put(out, "<form id=controls hidden><label>");
    put(out, catalog.w_search);
    put(out, " <input type=search id=search autocomplete=off></label><label>");
    put(out, catalog.w_session);
    put(out, " <select id=session><option value=\"\">");
    put(out, catalog.w_all);
    put(out, "</option>");
    for (id, session) in &view.sessions {
        put(out, &format!("<option value={id}>#{id} "));
        shown_text(out, &session.name);
        put(out, "</option>");
    }
    put(out, "</select></label><label><input type=checkbox id=control> ");
    put(out, catalog.w_no_control);
    put(out, "</label><button type=button id=open>");
    put(out, catalog.w_open);
    put(out, "</button><button type=button id=close>");
    put(out, catalog.w_close);
    put(out, "</button><output id=count data-text=\"");
    line(out, catalog.w_shown.as_bytes());
    put(
        out,
        "\"></output></form>\n<ol class=list id=list hidden></ol><div id=end></div>\n<noscript id=rows><ol class=list>\n",
    );
    out.append(&mut view.messages);
    put(out, "</ol></noscript></section>\n");
}
