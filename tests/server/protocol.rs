//! The protocol: who hears what, in which order.

use serde_json::json;

use crate::support::{Client, Server};

#[tokio::test]
async fn a_chat_as_in_the_documents() {
    let server = Server::start(&[]);
    let mut pig = Client::login(&server, "猪猪").await;
    let mut nick = Client::connect(&server).await;
    nick.send(json!({"type": "login", "name": "mynick"})).await;
    let list = nick.next().await;
    let uids: Vec<u64> = list["user_list"]
        .as_array()
        .unwrap()
        .iter()
        .map(|user| user["uid"].as_u64().unwrap())
        .collect();
    assert_eq!(uids.len(), 2);
    assert_eq!(list["user_list"][0], json!({"uid": pig.uid, "name": "猪猪"}));
    assert_eq!(list["user_list"][1]["name"], "mynick", "the newcomer is last");
    nick.uid = uids[1];

    let login = nick.next().await;
    assert_eq!(login["type"], "login");
    assert_eq!(login["uid"], nick.uid);
    let time = login["time"].as_str().unwrap();
    assert_eq!(time.replace(|c: char| c.is_ascii_digit(), "0"), "0000-00-00 00:00:00");
    assert_eq!(pig.next().await, login);

    nick.say(json!("all"), "hi,  all !").await;
    let said = nick.next().await;
    assert_eq!(said["from_uid"], nick.uid);
    assert_eq!(
        (&said["to_uid"], &said["content"]),
        (&json!("all"), &json!("hi,  all !"))
    );
    assert_eq!(pig.next().await, said);

    nick.socket.close(None).await.unwrap();
    let logout = pig.next().await;
    assert_eq!((&logout["type"], &logout["uid"]), (&json!("logout"), &json!(nick.uid)));
    assert!(logout["time"].is_string());
    assert_eq!(logout.as_object().unwrap().len(), 3);
}

#[tokio::test]
async fn what_is_private_stays_between_two() {
    let server = Server::start(&[]);
    let mut a = Client::login(&server, "a").await;
    let mut b = Client::login(&server, "b").await;
    let mut c = Client::login(&server, "c").await;
    let mut stranger = Client::connect(&server).await;
    for _ in 0..2 {
        a.next().await;
    }
    b.next().await;
    a.say(json!(c.uid), "psst 😀\nline").await;
    let said = a.next().await;
    assert_eq!(c.next().await, said);
    assert_eq!(
        (&said["to_uid"], &said["content"]),
        (&json!(c.uid), &json!("psst 😀\nline"))
    );
    a.say(json!(a.uid), "to myself").await;
    assert_eq!(a.next().await["content"], "to myself");
    a.say(json!("all"), "hello").await;
    for client in [&mut a, &mut b, &mut c] {
        assert_eq!(client.next().await["content"], "hello");
    }
    for client in [&mut a, &mut b, &mut c, &mut stranger] {
        client.expect_nothing().await;
    }
}

#[tokio::test]
async fn bad_input_has_its_code_and_costs_nobody_else_anything() {
    let server = Server::start(&["--max-name", "5", "--max-content", "30"]);
    let mut other = Client::login(&server, "other").await;
    let mut client = Client::connect(&server).await;
    for (text, code) in [
        ("nonsense", "bad-json"),
        ("[1]", "bad-message"),
        (r#"{"type":"dance"}"#, "bad-message"),
        (r#"{"type":"say","to_uid":"all","content":"x"}"#, "not-logged-in"),
        (r#"{"type":"login","name":""}"#, "bad-name"),
        (r#"{"type":"login","name":"123456"}"#, "bad-name"),
    ] {
        client.send_text(text).await;
        assert_eq!(client.next_error().await, code, "{text}");
    }
    client.send_text(r#"{"type":"login","name":" ok "}"#).await;
    assert_eq!(client.next().await["type"], "user_list");
    assert_eq!(client.next().await["name"], "ok");
    for (text, code) in [
        (r#"{"type":"login","name":"again"}"#, "already-logged-in"),
        (r#"{"type":"say","to_uid":"all","content":" "}"#, "bad-content"),
        (
            r#"{"type":"say","to_uid":"all","content":"1234567890123456789012345678901"}"#,
            "bad-content",
        ),
        (r#"{"type":"say","to_uid":4711,"content":"x"}"#, "unknown-uid"),
    ] {
        client.send_text(text).await;
        assert_eq!(client.next_error().await, code, "{text}");
    }
    assert_eq!(other.next().await["type"], "login");
    other.expect_nothing().await;
}

/// Two users may share a name; a name that only looks like another user's is a disguise.
#[tokio::test]
async fn a_name_that_looks_like_another_users_is_refused_while_that_user_is_here() {
    let server = Server::start(&[]);
    let original = Client::login(&server, "mynick").await;
    let mut other = Client::connect(&server).await;
    for name in [
        "myni\u{441}k",
        "my\u{2800}nick",
        "\u{2800}",
        "\u{3000}\u{a0}",
        "\u{e000}",
        "\u{301}x",
    ] {
        other.send(json!({"type": "login", "name": name})).await;
        assert_eq!(other.next_error().await, "bad-name", "{name:?}");
    }
    drop(original);
    server.wait_for_log(&["event=disconnect"]);
    other.send(json!({"type": "login", "name": "myni\u{441}k"})).await;
    assert_eq!(other.next().await["type"], "user_list");
}

#[tokio::test]
async fn two_users_of_one_name_have_two_uids() {
    let server = Server::start(&[]);
    let a = Client::login(&server, "twin").await;
    let b = Client::login(&server, "twin").await;
    assert_ne!(a.uid, b.uid);
    drop(a);
    server.wait_for_log(&["event=disconnect", "uid=1"]);
    let c = Client::login(&server, "twin").await;
    assert!(c.uid != 1 && c.uid != b.uid, "a uid is never used twice");
}

/// Everybody sees the same order, and of each sender that in which it spoke.
#[tokio::test]
async fn all_hear_the_same_in_the_same_order() {
    let server = Server::start(&["--rate", "0"]);
    let mut clients = Vec::new();
    for number in 0..5 {
        clients.push(Client::login(&server, &number.to_string()).await);
    }
    let count = clients.len();
    for (number, client) in clients.iter_mut().enumerate() {
        for _ in number + 1..count {
            client.next().await;
        }
    }
    for round in 0..20 {
        for client in &mut clients {
            client.say(json!("all"), &round.to_string()).await;
        }
    }
    let mut heard = Vec::new();
    for client in &mut clients {
        let mut mine = Vec::new();
        for _ in 0..20 * count {
            let said = client.next().await;
            mine.push((
                said["from_uid"].as_u64().unwrap(),
                said["content"].as_str().unwrap().to_owned(),
            ));
        }
        heard.push(mine);
    }
    for other in &heard[1..] {
        assert_eq!(other, &heard[0]);
    }
    for client in &clients {
        let own: Vec<_> = heard[0]
            .iter()
            .filter(|(from, _)| *from == client.uid)
            .map(|(_, text)| text.clone())
            .collect();
        assert_eq!(own, (0..20).map(|round| round.to_string()).collect::<Vec<_>>());
    }
}
