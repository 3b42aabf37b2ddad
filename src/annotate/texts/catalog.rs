//! All texts, by name. A language is one value of [`Catalog`]: a text that is missing does not compile.
//!
//! A text has placeholders, `{client}`. Which ones is declared here, once: the method of the text's name on [`Words`] takes exactly
//! these, and a test holds every language's text against the declaration.
//!
//! Where a text is for: `s_` the summary, `v_` clauses of a session's verdict, `n_` the verdicts' names, `r_` rules of RFCs, `h_` the
//! line above a payload, `w_` the HTML page, `two_` `--compare`; the others are sentences of the trace.

use super::words::{Arg, Words};

macro_rules! catalog {
    ($($(#[$doc:meta])* $name:ident($($arg:ident),*);)*) => {
        /// The texts of one language.
        #[derive(Debug)]
        pub struct Catalog {
            /// Its name as `--lang` takes it (RFC 5646).
            pub tag: &'static str,
            /// Its name in itself.
            pub name: &'static str,
            /// Opening and closing quotation mark.
            pub quotes: [&'static str; 2],
            /// Between Han and Latin letters or digits goes a blank.
            pub spaced: bool,
            /// What stands for words that were left off.
            pub ellipsis: &'static str,
            /// Between a label and what belongs to it.
            pub colon: &'static str,
            /// Around what is said beside.
            pub brackets: [&'static str; 2],
            /// Between the items of a list.
            pub comma: &'static str,
            /// Before the last item of a list.
            pub and: &'static str,
            /// Between two clauses of a sentence.
            pub clause: &'static str,
            /// The end of a sentence.
            pub stop: &'static str,
            /// Between whole and tenths.
            pub decimal: &'static str,
            /// What two words become that meet: Spanish `a el` is `al`.
            pub contractions: &'static [(&'static str, &'static str, &'static str)],
            $($(#[$doc])* pub $name: &'static str,)*
        }

        impl Catalog {
            /// All texts with placeholders: name, the text, and what it may and must hold.
            pub fn texts(&self) -> Vec<(&'static str, &'static str, &'static [&'static str])> {
                vec![$((stringify!($name), self.$name, &[$(stringify!($arg)),*] as &[&str]),)*]
            }
        }

        /// The texts, to index them in a [`super::Language`].
        #[allow(non_camel_case_types, clippy::upper_case_acronyms)]
        #[derive(Clone, Copy)]
        enum Index { $($name,)* }

        impl Words<'_> {
            $($(#[$doc])* pub fn $name(&mut self, $($arg: Arg<'_>),*) {
                self.fill(Index::$name as usize, &[$($arg),*]);
            })*
        }
    };
}

catalog! {
    // Who.
    /// A port.
    at_port(port);
    /// A port of an address.
    at_address(address, port);
    /// A client's port.
    local_port(port);
    /// A client's port of an address.
    local_at(address, port);
    /// A server's port, seen from the client.
    remote_port(port);
    /// A server's port of an address, seen from the client.
    remote_at(address, port);
    /// A browser.
    browser();
    /// A browser and where it is.
    browser_at(place);
    /// Somebody's browser and where it is.
    browser_of(name, place);
    /// The browser of somebody whose name others have as well.
    browser_of_shared(name, id, place);
    /// A client.
    client();
    /// A client and where it is.
    client_at(place);
    /// Somebody's client and where it is.
    client_of(name, place);
    /// The client of somebody whose name others have as well.
    client_of_shared(name, id, place);
    /// The server.
    server();
    /// The server and where it is.
    server_at(place);
    /// A user whose name others have as well.
    person_shared(name, id);
    /// A user whose name is not known.
    person_id(id);
    /// A user of whom nothing is known.
    person_unknown();
    /// Which browser it is.
    agent(name, version);
    /// Which browser it is and on which system.
    agent_on(name, version, system);

    // How much.
    /// One byte.
    byte();
    /// Several bytes, or none.
    bytes(n);
    /// Microseconds.
    micros(n);
    /// Milliseconds.
    millis(n);
    /// Seconds.
    seconds(n);
    /// Minutes and seconds.
    minutes(m, s);

    // A page about a capture.
    /// The title of a page about a capture.
    w_title();
    /// A link to the messages.
    w_skip();
    /// Of all times.
    w_utc();
    /// There is no session.
    w_none();
    /// Credentials were left out.
    w_credentials(n);
    /// Credentials were kept.
    w_secrets();
    /// There was no room.
    w_left_out(messages, sessions);
    /// A heading, and a column.
    w_sessions();
    /// A heading.
    w_ladder();
    /// What the ladder shows.
    w_ladder_about();
    /// Not all is drawn.
    w_ladder_cut(rows, columns);
    /// A heading.
    w_messages();
    /// A heading.
    w_violations();
    /// A column: the number of a session.
    w_number();
    /// A column.
    w_client();
    /// A column.
    w_server();
    /// A column.
    w_subprotocol();
    /// A column.
    w_start();
    /// A column.
    w_duration();
    /// A column: messages.
    w_from_client();
    /// A column: messages.
    w_from_server();
    /// A column: how the session ended.
    w_end();
    /// A column.
    w_time();
    /// A column: the number of a packet.
    w_packet();
    /// A column: who has done it.
    w_by();
    /// A column.
    w_rule();
    /// A column.
    w_detail();
    /// The handshake is not known.
    w_no_handshake();
    /// A field.
    w_search();
    /// A field: of which session.
    w_session();
    /// All sessions.
    w_all();
    /// A box: without control frames.
    w_no_control();
    /// How many messages are shown.
    w_shown(n, all);
    /// A button.
    w_open();
    /// A button.
    w_close();
    /// The rest of a message is not shown.
    w_cut(bytes);
    /// Of a message.
    w_incomplete();

    // What: things that were sent, as objects of a sentence.
    /// The upgrade request.
    what_upgrade_request();
    /// The response.
    what_upgrade_response();
    /// A wish for a name.
    what_login(name);
    /// A list of users.
    what_user_list();
    /// The answer to a login.
    what_login_result();
    /// Somebody has come.
    what_login_notice(name);
    /// Somebody has left.
    what_logout_notice(name);
    /// Something said.
    what_say(content);
    /// The application's ping.
    what_app_ping();
    /// The application's pong.
    what_app_pong();
    /// The chat server's refusal.
    what_refusal();
    /// A message of a generic protocol.
    what_labelled(protocol, act);
    /// The same with a name.
    what_labelled_name(protocol, act, label);
    /// A text message.
    what_text(bytes);
    /// A binary message.
    what_binary(bytes);
    /// A ping.
    what_ping();
    /// A pong.
    what_pong();
    /// A close frame.
    what_close();
    /// A frame with a reserved opcode.
    what_reserved(n);
    /// A message of which nothing is known.
    what_some();
    /// Two of these that arrived together.
    what_two(first, what);
    /// The last of several.
    what_more(what, n);

    // What generic protocols do, as a heading or behind a colon.
    /// Opens a session.
    act_open();
    /// Confirms that.
    act_opened();
    /// Ends it.
    act_close();
    /// Asks whether the other is there.
    act_ping();
    /// Answers that.
    act_pong();
    /// An event or notification.
    act_event();
    /// Confirms a message.
    act_confirm();
    /// A request.
    act_request();
    /// A response.
    act_response();
    /// An error.
    act_error();
    /// Subscribes.
    act_subscribe();
    /// Unsubscribes.
    act_unsubscribe();
    /// Data of a subscription.
    act_data();
    /// No more data.
    act_complete();
    /// Gives the other side something.
    act_send();
    /// Another transport takes over.
    act_upgrade();
    /// Bytes that belong to an event.
    act_attachment();
    /// Nothing.
    act_noop();
    /// PUBREC of MQTT.
    act_received();
    /// PUBREL of MQTT.
    act_release();
    /// AUTH of MQTT.
    act_auth();
    /// Anything else.
    act_other();

    // Titles.
    /// A packet of TCP.
    t_tcp();
    /// SYN.
    t_handshake_1();
    /// SYN and ACK.
    t_handshake_2();
    /// ACK.
    t_handshake_3();
    /// The upgrade request.
    t_upgrade_request();
    /// It has arrived.
    t_upgrade_received();
    /// The response.
    t_upgrade_response();
    /// A refusal.
    t_upgrade_refused();
    /// WebSocket begins.
    t_upgrade_done();
    /// A wish for a name.
    t_login();
    /// The user list in answer to it.
    t_login_list();
    /// The user list otherwise.
    t_user_list();
    /// The answer to a login.
    t_login_result();
    /// The client has it.
    t_login_done();
    /// Somebody has come.
    t_joined();
    /// Somebody has left.
    t_left();
    /// Something said by somebody unknown.
    t_say();
    /// Something said by somebody.
    t_say_by(name);
    /// Everyone has it.
    t_say_done();
    /// Everyone has what somebody said.
    t_say_done_by(name);
    /// Something said to one, by somebody unknown.
    t_private();
    /// Something said to one.
    t_private_by(name);
    /// The application's ping.
    t_app_ping();
    /// The application's pong.
    t_app_pong();
    /// The chat server's refusal.
    t_refusal();
    /// A message of a generic protocol.
    t_labelled(protocol, act);
    /// The same with a name.
    t_labelled_name(protocol, act, label);
    /// A text message.
    t_text();
    /// A binary message.
    t_binary();
    /// A ping.
    t_ping();
    /// A pong.
    t_pong();
    /// A frame with a reserved opcode.
    t_reserved(n);
    /// Something is acknowledged.
    t_received(title);
    /// A part of a message.
    t_part();
    /// How much of a frame has come.
    t_part_of(received, total);
    /// How much of a fragment has come.
    t_fragment_of(n, received, total);
    /// The first close frame.
    t_close();
    /// The second one.
    t_close_answer();
    /// FIN.
    t_fin();
    /// FIN is acknowledged.
    t_fin_acked();
    /// RST.
    t_reset();
    /// RST in answer to a SYN.
    t_refused();
    /// Sent again.
    t_retransmission();
    /// Captured twice.
    t_duplicate();
    /// Too early.
    t_out_of_order();
    /// TCP's keep-alive.
    t_keep_alive();
    /// A probe of a closed window.
    t_window_probe();
    /// The window has closed.
    t_window_closed();
    /// The window is open again.
    t_window_opened();
    /// The window has another size.
    t_window(bytes);
    /// Only an ACK.
    t_ack();
    /// An ACK that was sent before.
    t_ack_repeated();
    /// An ACK whose news is in its SACK block.
    t_ack_sack(begin, end);
    /// An ACK older than one that came before it.
    t_ack_overtaken();
    /// Frames of HTTP/2.
    t_http2();
    /// Records of TLS.
    t_tls();
    /// TLS begins.
    t_tls_handshake();
    /// A reset that fits nothing.
    t_reset_stray();
    /// A reset that may not be accepted.
    t_reset_doubtful();
    /// Bytes that are no WebSocket.
    t_data();
    /// Bytes are missing.
    t_gap();
    /// The end without a packet.
    t_end();

    // TCP.
    /// A SYN. `client` and `server` without their places.
    syn(client, client_port, server_port);
    /// A SYN and ACK.
    syn_ack(server_port, client, client_port);
    /// The ACK that completes the handshake.
    handshake_ack(client, client_port, server_port);
    /// The SYN, or SYN and ACK, was sent before.
    syn_again(what);
    /// The connection was there before the capture.
    late();
    /// WebSocket without a handshake seen.
    inferred();
    /// What follows came with an earlier packet, and was not known to be WebSocket.
    earlier(packet);
    /// The same of what could not be read until now.
    earlier_unread(packet);
    /// What follows is of this connection.
    of_connection(client, server);
    /// An ACK for something.
    acked(by, to, what);
    /// The same, with a packet that does something else as well.
    acked_also(by, what);
    /// An ACK for a part of a message.
    acked_part(by, to, bytes);
    /// The same, with a packet that does something else as well.
    acked_part_also(by, bytes);
    /// An ACK for bytes.
    acked_bytes(by, bytes);
    /// The same, with a packet that does something else as well.
    acked_bytes_also(by, bytes);
    /// The packet's ACK only repeats.
    ack_repeats(what);
    /// An ACK that was sent before.
    ack_duplicate(by);
    /// An ACK whose news is in its SACK block.
    ack_sack(by, begin, end);
    /// An ACK older than one that came before it.
    ack_overtaken(by);
    /// The answer to a probe of a closed window.
    ack_closed(by);
    /// An ACK that says nothing new.
    ack_only(by);
    /// An ACK of bytes that the capture does not hold.
    ack_unseen();
    /// FIN.
    fin(from, to);
    /// FIN, without a close frame before it.
    fin_bare(from, to);
    /// FIN after the other's.
    fin_second(from);
    /// A message that never ended.
    fin_unfinished(first, received, total);
    /// The same, and nobody knows how long it would have been.
    fin_unfinished_some(first);
    /// FIN is acknowledged.
    fin_acked(by);
    /// Both are: the connection is closed.
    fin_acked_last(by);
    /// RST.
    reset(from, to);
    /// RST when all was over.
    reset_late(from);
    /// RST in answer to a SYN.
    reset_refused(from, to);
    /// Bytes that are no WebSocket.
    data(from, to, bytes);
    /// All bytes were sent before.
    retransmission(from);
    /// All bytes were sent before, and are others now.
    retransmission_differs(from);
    /// Some bytes were sent before.
    retransmission_partly(from, bytes);
    /// The same packet was captured before.
    duplicate();
    /// Bytes before it are missing.
    out_of_order(from, bytes);
    /// It fills a gap.
    fills();
    /// It fills a gap, and what waited goes on.
    fills_releases(bytes);
    /// HTTP/2 begins.
    http2_preface(from);
    /// HTTP/2's settings.
    http2_settings(from);
    /// The same, with WebSocket allowed.
    http2_allows(from);
    /// Data of a stream.
    http2_data(from, bytes, stream);
    /// A stream ends on one side.
    http2_end_stream(from, stream);
    /// A request on a stream.
    http2_request(from, what, stream);
    /// A response on a stream.
    http2_response(from, stream, status);
    /// A stream is reset.
    http2_reset(from, stream, code);
    /// No new streams.
    http2_goaway(from, code);
    /// A frame that serves the connection.
    http2_control(from, frame);
    /// TLS begins.
    tls_client_hello(from);
    /// The same, with a server name.
    tls_client_hello_name(from, name);
    /// The server's answer: version and cipher suite.
    tls_server_hello(from, version, suite);
    /// The same with a cipher suite that is not known.
    tls_server_hello_version(from, version);
    /// More of the handshake.
    tls_handshake(from);
    /// Records that were decrypted, and nothing of them is told.
    tls_data(from);
    /// Records that were not.
    tls_sealed(from, n);
    /// An alert.
    tls_alert(from, name);
    /// A reset whose sequence number does not fit.
    reset_stray(from, to);
    /// A reset that its receiver may not accept (RFC 5961 §3.2).
    reset_doubtful(from, to);
    /// TCP's keep-alive.
    keep_alive(from, to);
    /// A probe of a closed window.
    window_probe(from, to);
    /// Outside of anything valid.
    out_of_window();
    /// The window has closed.
    window_closed(by);
    /// The window is open again.
    window_opened(by, bytes);
    /// The window has another size, and nothing else is new.
    window_update(by, bytes);
    /// Bytes are missing: they were lost.
    gap_lost(from, bytes);
    /// Bytes are missing: the packet was cut.
    gap_snaplen(from, bytes);
    /// Bytes are missing: we gave them up.
    gap_evicted(from, bytes);
    /// Bytes are missing: they are encrypted, and no key opens them.
    gap_no_key(from, bytes);
    /// Bytes are missing, and nobody knows how many.
    gap_unknown(from);

    // The opening handshake.
    /// The upgrade request of a browser.
    upgrade_request_browser(client, agent, client_port, server_port, target);
    /// The upgrade request of another client.
    upgrade_request(client, client_port, server_port, target);
    /// The page that asks.
    origin(origin);
    /// Subprotocols offered.
    offers_subprotocol(list);
    /// Extensions offered.
    offers_extensions(list);
    /// A proxy has passed the request on.
    forwarded(address, header);
    /// The server agrees, and proves that it knows the key.
    upgrade_accepted(server, server_port, client, client_port);
    /// The server agrees, with a wrong proof.
    upgrade_accept_invalid(server, server_port, client, client_port);
    /// The server agrees, without a proof.
    upgrade_accept_missing(server, server_port, client, client_port);
    /// The server agreed; what would prove it, or what it should fit, was not captured.
    upgrade_accept_unseen(server, server_port, client, client_port);
    /// The request has no key that the response could match.
    upgrade_no_key(server, server_port, client, client_port);
    /// The server agrees to an extended CONNECT (RFC 8441 §5), which proves nothing and needs no proof.
    upgrade_accepted_http2(server, server_port, client, client_port, status);
    /// The server does not agree.
    upgrade_refused(server, client, status);
    /// The same, with the reason phrase.
    upgrade_refused_reason(server, client, status, reason);
    /// The server agrees to something else.
    upgrade_failed(server, client);
    /// What a refusal says.
    refusal_body(body);
    /// The subprotocol agreed upon.
    subprotocol(name);
    /// permessage-deflate agreed upon, with context takeover as it is by default.
    deflate();
    /// permessage-deflate agreed upon; the client begins every message anew.
    deflate_client_anew();
    /// permessage-deflate agreed upon; the server begins every message anew.
    deflate_server_anew();
    /// permessage-deflate agreed upon; both begin every message anew.
    deflate_both_anew();
    /// An extension that is not known was agreed upon.
    unknown_extension(name);

    // The chat.
    /// A wish for a name.
    login(client, server, name);
    /// The user list.
    user_list(server, client, names, n);
    /// The user list with one user.
    user_list_one(server, client, names);
    /// The user list, empty.
    user_list_none(server, client);
    /// The user list, more users than names.
    user_list_more(server, client, names, n);
    /// The answer to a login.
    login_result(server, client, name, id);
    /// Somebody has come.
    login_notice(server, client, name);
    /// Somebody has left.
    logout_notice(server, client, name);
    /// Something said to all.
    say(client, content, server_port);
    /// Something said to one.
    say_private(client, content, name, server_port);
    /// It is passed on.
    forward(server, client, name, content);
    /// It comes back to whoever said it.
    forward_own(server, client, content);
    /// It is passed on to the one for whom it is.
    forward_private(server, client, name, content);
    /// Its copy for whoever said it.
    forward_private_own(server, client, to, content);
    /// Which delivery this is, to browsers.
    delivery_browsers(nth, of, after);
    /// Which delivery this is, to clients.
    delivery_clients(nth, of, after);
    /// A delivery; nobody knows of how many.
    delivery(after);
    /// The last browser has it.
    say_done_browsers(content, n, after);
    /// The only browser has it.
    say_done_browser(content, after);
    /// The last client has it.
    say_done_clients(content, n, after);
    /// The only client has it.
    say_done_client(content, after);
    /// The one for whom it was has it.
    private_done(content, after);
    /// Somebody has not got what was said before.
    missed(content, packet, who);
    /// Somebody and one more.
    missed_and_one(content, packet, who);
    /// Somebody and more.
    missed_and_more(content, packet, who, n);
    /// Nobody has got what was said before.
    missed_by_all(content, packet);
    /// Somebody leaves without it.
    missed_leaving(who, content, packet);
    /// Somebody has not got it when the capture ends.
    pending(content, packet, who);
    /// Somebody and more.
    pending_and_more(content, packet, who, n);
    /// Nobody has got it when the capture ends.
    pending_by_all(content, packet);
    /// The chat server refuses something.
    refusal(server, client, code);
    /// The application's ping.
    app_ping(from, to);
    /// The application's pong, and when the ping was.
    app_pong_after(from, to, after);
    /// The application's pong, and nobody asked.
    app_pong_unasked(from, to);

    // Messages.
    /// A message of a generic protocol, up to what it is.
    labelled(from, to, protocol, act);
    /// One more in the same message, up to what it is.
    also_labelled(protocol, act);
    /// Its name.
    labelled_name(label);
    /// Its identifier.
    labelled_id(id);
    /// It answers a request.
    answers(label, packet, after);
    /// It answers a request that has no name.
    answers_unnamed(packet, after);
    /// A text message.
    text(from, to, bytes);
    /// A binary message.
    binary(from, to, bytes);
    /// A frame with a reserved opcode.
    reserved(from, to, n, bytes);
    /// The dump shows it masked.
    masked();
    /// It was compressed.
    compressed(wire, bytes);
    /// It came in several frames.
    frames(n);
    /// It came in several packets, of which this one is the last.
    packets(first, after);
    /// It came in several packets.
    packets_earlier(first, after);
    /// A part is missing.
    incomplete();
    /// It was read as JSON, and is none.
    not_json(at);
    /// It was read as JSON, and a name occurs more than once.
    repeated();
    /// A message begins.
    part_begins(from, to, received, total);
    /// A message goes on.
    part_goes_on(from, to, received, total, since);
    /// A fragment begins or goes on.
    part_fragment(from, to, n, received, total);
    /// Not even the header is complete.
    part_header(from, to);
    /// A fragment is complete.
    fragment(from, to, n);
    /// A ping.
    ping(from, to);
    /// A pong.
    pong(from, to, packet, after);
    /// A pong of which it is not known which ping it answers.
    pong_unasked(from, to);
    /// A close frame without a code.
    close(from, to);
    /// A close frame.
    close_code(from, to, code, meaning);
    /// The answer without a code.
    close_answer(from, to);
    /// The answer.
    close_answer_code(from, to, code, meaning);
    /// The reason in a close frame.
    close_reason(reason);
    /// A rule is broken.
    violation(by, what, rule, section);
    /// What the user has set a limit to.
    violation_limit(what, rule);
    /// A rule that is broken, and what shows it.
    rule_about(what, about);
    /// How a session ended.
    ended(session, who, verdict);
    /// So many more sentences.
    more(n);
    /// So many more, which are told nowhere.
    more_untold(n);

    // Lines above and between payloads.
    /// A text message.
    h_text(bytes);
    /// A binary message.
    h_binary(bytes);
    /// A message whose first frame is lost.
    h_unknown(bytes);
    /// A ping's payload.
    h_ping(bytes);
    /// A pong's payload.
    h_pong(bytes);
    /// What a close frame says.
    h_close(bytes);
    /// A frame with a reserved opcode.
    h_reserved(n, bytes);
    /// With which key it was unmasked.
    h_unmasked(key);
    /// Its length as sent.
    h_compressed(wire);
    /// The payload is in the form of an extension that is not known.
    h_extended();
    /// Its strings are shown, not the array that they stand in.
    h_unwrapped();
    /// What a message in the format of gzip holds.
    h_gzip(bytes);
    /// In how many frames.
    h_frames(n);
    /// The end of such a line.
    h_end();
    /// More was sent than is shown.
    h_more(bytes);
    /// Bytes are missing.
    h_hole(bytes);
    /// Bytes are missing, nobody knows how many.
    h_hole_unknown();
    /// The message did not end.
    h_unfinished();
    /// In a line of the messages view: it answers what came with that packet.
    m_answers(packet, after);
    /// The same: the session was found without its handshake.
    m_inferred();

    // Close codes (RFC 6455 §7.4.1).
    /// 1000.
    code_1000();
    /// 1001.
    code_1001();
    /// 1002.
    code_1002();
    /// 1003.
    code_1003();
    /// 1007.
    code_1007();
    /// 1008.
    code_1008();
    /// 1009.
    code_1009();
    /// 1010.
    code_1010();
    /// 1011.
    code_1011();
    /// 1012.
    code_1012();
    /// 1013.
    code_1013();
    /// 1014.
    code_1014();
    /// 3000 to 3999.
    code_registered();
    /// 4000 to 4999.
    code_private();
    /// Any other.
    code_unknown();
    /// 1005, 1006, 1015: for use inside a program.
    code_internal();
    /// [`Rule::HeadTooLong`](crate::base::Rule::HeadTooLong).
    r_head_too_long();
    /// [`Rule::HeadSyntax`](crate::base::Rule::HeadSyntax).
    r_head_syntax();
    /// [`Rule::HandshakeRequest`](crate::base::Rule::HandshakeRequest).
    r_handshake_request();
    /// [`Rule::HandshakeVersion`](crate::base::Rule::HandshakeVersion).
    r_handshake_version();
    /// [`Rule::HandshakeResponse`](crate::base::Rule::HandshakeResponse).
    r_handshake_response();
    /// [`Rule::DifferentBytes`](crate::base::Rule::DifferentBytes).
    r_different_bytes();
    /// [`Rule::UrgentData`](crate::base::Rule::UrgentData).
    r_urgent_data();
    /// [`Rule::DraftHandshake`](crate::base::Rule::DraftHandshake).
    r_draft_handshake();
    /// [`Rule::AcceptMissing`](crate::base::Rule::AcceptMissing).
    r_accept_missing();
    /// [`Rule::AcceptInvalid`](crate::base::Rule::AcceptInvalid).
    r_accept_invalid();
    /// [`Rule::SubprotocolNotOffered`](crate::base::Rule::SubprotocolNotOffered).
    r_subprotocol_not_offered();
    /// [`Rule::ExtensionNotOffered`](crate::base::Rule::ExtensionNotOffered).
    r_extension_not_offered();
    /// [`Rule::ExtensionSyntax`](crate::base::Rule::ExtensionSyntax).
    r_extension_syntax();
    /// [`Rule::ExtensionParameter`](crate::base::Rule::ExtensionParameter).
    r_extension_parameter();
    /// [`Rule::Http2FrameSize`](crate::base::Rule::Http2FrameSize).
    r_http2_frame_size();
    /// [`Rule::Http2Compression`](crate::base::Rule::Http2Compression).
    r_http2_compression();
    /// [`Rule::Http2Padding`](crate::base::Rule::Http2Padding).
    r_http2_padding();
    /// [`Rule::Http2FieldBlock`](crate::base::Rule::Http2FieldBlock).
    r_http2_field_block();
    /// [`Rule::Http2TooManyStreams`](crate::base::Rule::Http2TooManyStreams).
    r_http2_too_many_streams();
    /// [`Rule::UnmaskedClientFrame`](crate::base::Rule::UnmaskedClientFrame).
    r_unmasked_client_frame();
    /// [`Rule::MaskedServerFrame`](crate::base::Rule::MaskedServerFrame).
    r_masked_server_frame();
    /// [`Rule::ReservedBit`](crate::base::Rule::ReservedBit).
    r_reserved_bit();
    /// [`Rule::ReservedOpcode`](crate::base::Rule::ReservedOpcode).
    r_reserved_opcode();
    /// [`Rule::NonMinimalLength`](crate::base::Rule::NonMinimalLength).
    r_non_minimal_length();
    /// [`Rule::LengthTopBit`](crate::base::Rule::LengthTopBit).
    r_length_top_bit();
    /// [`Rule::ContinuationWithoutStart`](crate::base::Rule::ContinuationWithoutStart).
    r_continuation_without_start();
    /// [`Rule::NewMessageInsideOne`](crate::base::Rule::NewMessageInsideOne).
    r_new_message_inside_one();
    /// [`Rule::ControlTooLong`](crate::base::Rule::ControlTooLong).
    r_control_too_long();
    /// [`Rule::ControlFragmented`](crate::base::Rule::ControlFragmented).
    r_control_fragmented();
    /// [`Rule::CloseOneByte`](crate::base::Rule::CloseOneByte).
    r_close_one_byte();
    /// [`Rule::DataAfterClose`](crate::base::Rule::DataAfterClose).
    r_data_after_close();
    /// [`Rule::CloseCode`](crate::base::Rule::CloseCode).
    r_close_code();
    /// [`Rule::InvalidUtf8`](crate::base::Rule::InvalidUtf8).
    r_invalid_utf_8();
    /// [`Rule::CloseReasonUtf8`](crate::base::Rule::CloseReasonUtf8).
    r_close_reason_utf_8();
    /// [`Rule::InflateFailed`](crate::base::Rule::InflateFailed).
    r_inflate_failed();
    /// [`Rule::DeflateInsideBlock`](crate::base::Rule::DeflateInsideBlock).
    r_deflate_inside_block();
    /// [`Rule::CompressedBitMisplaced`](crate::base::Rule::CompressedBitMisplaced).
    r_compressed_bit_misplaced();
    /// [`Rule::LateAnswer`](crate::base::Rule::LateAnswer).
    r_late_answer();
    /// [`Rule::NoAnswer`](crate::base::Rule::NoAnswer).
    r_no_answer();

    // Verdicts, without the end of the sentence.
    /// The client, in a verdict.
    v_client();
    /// The server, in a verdict.
    v_server();
    /// Closed with a code, and the answer came.
    v_closed_code(who, code, meaning);
    /// Closed without a code, and the answer came.
    v_closed(who);
    /// Closed with a code, no answer.
    v_closed_code_unanswered(who, code, meaning, other);
    /// Closed without a code, no answer.
    v_closed_unanswered(who, other);
    /// Closed with a code, and nobody knows whether an answer came.
    v_closed_code_unseen(who, code, meaning, other);
    /// Closed without a code, and nobody knows whether an answer came.
    v_closed_unseen(who, other);
    /// The other side answered with a code that says more.
    v_closed_other(other, code, meaning);
    /// The transport was ended without a close frame.
    v_fin(who, what);
    /// The transport was reset without a close frame.
    v_reset(who, what);
    /// It was ended, and nobody knows whether there was a close frame.
    v_fin_unseen(who, what);
    /// It was reset, and nobody knows whether there was a close frame.
    v_reset_unseen(who, what);
    /// What FIN ends.
    v_tcp_fin();
    /// What RST resets.
    v_tcp_rst();
    /// What END_STREAM ends.
    v_end_stream();
    /// What RST_STREAM resets.
    v_rst_stream();
    /// What GOAWAY ends.
    v_goaway();
    /// What an alert ends.
    v_tls_alert();
    /// Which alert it was.
    v_alert(name);
    /// With which error code of HTTP/2.
    v_error_code(name);
    /// What was sent last was never acknowledged.
    v_unacknowledged(who, n, time, other);
    /// A window that stayed closed.
    v_window(who, time);
    /// So long nothing was sent before the end.
    v_silent(time);
    /// So long, which is a usual limit of proxies.
    v_silent_minute(time);
    /// Another connection took its place.
    v_reused();
    /// Silent for too long.
    v_idle();
    /// Given up, there were too many.
    v_evicted();
    /// The capture ended first.
    v_capture_end();
    /// The server refused.
    v_refused(status);
    /// Status 101, and yet no WebSocket.
    v_failed();
    /// The server never answered.
    v_unanswered();
    /// No answer of the server was captured, and one may have come later.
    v_unanswered_unseen();
    /// The server reset the connection instead of answering.
    v_unanswered_reset(what);
    /// Nobody knows who.
    v_somebody();
    /// One ping without pong.
    v_ping(who, packet);
    /// Several, the first of them in that packet.
    v_pings(who, n, packet);
    /// One ping without pong, which may have come later.
    v_ping_unseen(who, packet);
    /// Several, the first of them in that packet.
    v_pings_unseen(who, n, packet);
    /// So many, one of them in that packet; of those before them it is not known.
    v_pings_at_least(who, n, packet);
    /// [`Verdict::Refused`](crate::record::Verdict::Refused), as a name.
    n_refused();
    /// [`Verdict::Unanswered`](crate::record::Verdict::Unanswered), as a name.
    n_unanswered();
    /// [`Verdict::Evicted`](crate::record::Verdict::Evicted), as a name.
    n_evicted();
    /// [`Verdict::Closed`](crate::record::Verdict::Closed), as a name.
    n_closed();
    /// [`Verdict::ClosedWithError`](crate::record::Verdict::ClosedWithError), as a name.
    n_closed_with_error();
    /// [`Verdict::CloseUnanswered`](crate::record::Verdict::CloseUnanswered), as a name.
    n_close_unanswered();
    /// [`Verdict::PeerVanished`](crate::record::Verdict::PeerVanished), as a name.
    n_peer_vanished();
    /// [`Verdict::Reset`](crate::record::Verdict::Reset), as a name.
    n_reset();
    /// [`Verdict::EndedWithoutClose`](crate::record::Verdict::EndedWithoutClose), as a name.
    n_ended_without_close();
    /// [`Verdict::NotSeen`](crate::record::Verdict::NotSeen), as a name.
    n_not_seen();
    /// [`Verdict::StillOpen`](crate::record::Verdict::StillOpen), as a name.
    n_still_open();
    /// The headline of the summary.
    s_title();
    /// Packets and their bytes.
    s_packets();
    /// WebSocket sessions.
    s_sessions();
    /// Names that logged in.
    s_users();
    /// Messages that clients sent.
    s_from_clients();
    /// Messages that servers sent.
    s_from_servers();
    /// Messages and bytes a second.
    s_rates();
    /// From a say to its deliveries.
    s_delivery();
    /// Deliveries to users who were logged in that never came.
    s_missed();
    /// From a ping to its pong.
    s_pong();
    /// From a request to its answer.
    s_answers();
    /// Requests that were forgotten before their answers came.
    s_forgotten();
    /// Rules that were broken.
    s_violations();
    /// Gaps in the streams.
    s_gaps();
    /// IP datagrams of which only some fragments came.
    s_incomplete();
    /// Directions that lost what their compressed messages refer back to.
    s_evicted_histories();
    /// Compressed messages that were not inflated to their end, because the work would not have been in proportion.
    s_limited_inflations();
    /// Violations that are counted here alone: there were too many to tell each.
    s_unlisted();
    /// Packets that the kernel dropped.
    s_dropped();
    /// How sessions ended.
    s_ends();
    /// Messages a second.
    s_messages_a_second(n);
    /// Bytes a second.
    s_bytes_a_second(n);
    /// The longest time, beside percentiles.
    s_max();
    /// All methods that are not told apart.
    s_other_methods();
    /// So many answers say that something failed.
    s_errors(n);
    /// So many answers came to what was answered already.
    s_twice(n);
    /// So many requests without an answer.
    s_never(n);
    /// Of how many that is.
    s_count(n);
    /// So many more are not shown.
    s_others(n);
    /// A column of the sessions view: who asked.
    c_client();
    /// A column of the sessions view: who was asked.
    c_server();
    /// A column of the sessions view: scheme, host and path.
    c_target();
    /// A column of the sessions view: the subprotocol agreed upon.
    c_subprotocol();
    /// A column of the sessions view: who logged in.
    c_user();
    /// A column of the sessions view: when it began.
    c_start();
    /// A column of the sessions view: how long it was.
    c_duration();
    /// A column of the sessions view: messages each way.
    c_messages();
    /// A column of the sessions view: application bytes each way.
    c_bytes();
    /// A column of the sessions view: mean time from ping to pong, by who pinged.
    c_pong();
    /// A column of the sessions view: the answer that took longest.
    c_slowest();
    /// A column of the sessions view: close codes each way.
    c_codes();
    /// A column of the sessions view: what is to be made of its end.
    c_verdict();
    /// A column of the sessions view: rules that were broken.
    c_violations();
    // Two captures compared.
    /// A label: the capture between the client and the proxy.
    two_before();
    /// A label: the capture between the proxy and the server.
    two_behind();
    /// What a capture holds.
    two_counts(packets, sessions);
    /// A label: how the clocks differ.
    two_clocks();
    /// The second clock is ahead.
    two_ahead(time, unsure);
    /// The second clock is late.
    two_late(time, unsure);
    /// The second clock is faster.
    two_fast(ppm);
    /// The second clock is slower.
    two_slow(ppm);
    /// No offset and drift fit all messages.
    two_uneven();
    /// All traffic went to the server.
    two_one_way_up();
    /// All traffic went to the client.
    two_one_way_down();
    /// Nothing was paired.
    two_no_clock();
    /// A label: how many were paired.
    two_messages();
    /// Messages of both captures.
    two_on_both(count);
    /// A label: what was not passed on as it was.
    two_differ();
    /// No differences.
    two_none();
    /// A label.
    two_up();
    /// A label.
    two_down();
    /// A label: both delays together.
    two_round();
    /// Delays are relative.
    two_above_least();
    /// A label: who closed.
    two_ends();
    /// Who stands between both captures.
    two_proxy();
    /// Who closed, and how.
    two_closed(who, how);
    /// Who closed, after what silence, and how.
    two_closed_after(who, time, how);
    /// Whoever closed cannot be known.
    two_somebody();
    /// A session that was open at the end.
    two_open();
    /// A refused session.
    two_refused(status);
    /// A session of one capture alone.
    two_only_before();
    /// A session of one capture alone.
    two_only_behind();
    /// The proxy did not pass it on.
    two_dropped();
    /// The proxy wrote it.
    two_inserted();
    /// The proxy passed it on again.
    two_twice();
    /// Not lost.
    two_outside();
    /// Not captured.
    two_gap();
    /// No counterpart.
    two_alone();
    /// The proxy altered it.
    two_changed();
    /// The proxy passed it on in another order.
    two_reordered();
    /// TCP's other end did not acknowledge it.
    two_unacknowledged();
    /// Pairs that cannot be compared.
    two_not_whole();
    /// What was left out.
    two_more(count);
    /// What was not read.
    two_full_at(packet);
    /// An alert has ended TLS.
    c_alert(who, name);
    /// TLS that was not decrypted, and why.
    c_undecrypted(reason);
    /// All of a connection was read, and there was no WebSocket.
    c_no_websocket();
    /// Where a message was captured.
    two_at(side, packet);
}
