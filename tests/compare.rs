//! `--compare` on pairs of captures around real proxies: what both ends and the proxy logged, field by field.
//!
//! `fixtures/find/NAME.json` is the truth beside `NAME_edge.pcap` and `NAME_app.pcap`.

mod support;

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::{Value, json};
use support::savefile::Savefile;

fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/find")
}

/// What the program prints for a pair of files.
fn compared(edge: &Path, app: &Path, more: &[&str]) -> (String, String, i32) {
    let output = Command::new(env!("CARGO_BIN_EXE_wschat-sniff"))
        .arg("-r")
        .arg(edge)
        .arg("--compare")
        .arg(app)
        .args(more)
        .output()
        .unwrap();
    (
        String::from_utf8(output.stdout).unwrap(),
        String::from_utf8_lossy(&output.stderr).into_owned(),
        output.status.code().unwrap(),
    )
}

fn json_of(edge: &Path, app: &Path) -> Value {
    let keys = PathBuf::from(edge.to_str().unwrap().replace("_edge.pcap", ".keylog"));
    let keys = keys.exists().then(|| ["--keylog", keys.to_str().unwrap()]);
    let more: Vec<&str> = ["--format", "json"]
        .into_iter()
        .chain(keys.into_iter().flatten())
        .collect();
    let (out, err, code) = compared(edge, app, &more);
    assert_eq!(code, 0, "{err}");
    serde_json::from_str(&out).unwrap()
}

/// Direction names: the truth's are short.
fn direction(short: &Value) -> Value {
    json!(match short.as_str().unwrap() {
        "c2s" => "client-to-server",
        _ => "server-to-client",
    })
}

fn ways(short: &Value) -> Value {
    json!({"client-to-server": short["c2s"], "server-to-client": short["s2c"]})
}

fn near(ours: &Value, truth: f64, by: f64, what: &str) {
    let number = ours.as_f64().unwrap_or_else(|| panic!("{what}: {ours}"));
    assert!((number - truth).abs() <= by, "{what}: {number}, not {truth} ± {by}");
}

/// Every pair, and every field of its truth.
#[test]
fn all_that_the_ends_and_the_proxy_logged_is_found() {
    let mut pairs = 0;
    let mut names: Vec<_> = std::fs::read_dir(fixtures())
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|end| end == "json"))
        .collect();
    names.sort();
    for path in names {
        let truth: Value = serde_json::from_str(&std::fs::read_to_string(&path).unwrap()).unwrap();
        let Some(edge) = truth["edge"].as_str() else { continue };
        let app = truth["app"].as_str().unwrap();
        let ours = json_of(&fixtures().join(edge), &fixtures().join(app));
        holds(&ours, &truth, path.file_stem().unwrap().to_str().unwrap());
        pairs += 1;
    }
    assert!(pairs >= 6, "the captures were not found");
}

fn holds(ours: &Value, truth: &Value, name: &str) {
    assert_eq!(ours["event"], "comparison");
    // Sessions.
    let sessions = ours["sessions"].as_array().unwrap();
    assert_eq!(sessions.len(), truth["sessions"].as_array().unwrap().len(), "{name}");
    for (session, truth) in sessions.iter().zip(truth["sessions"].as_array().unwrap()) {
        assert_eq!(session["session"], truth["session"], "{name}");
        for field in ["target", "client", "edge_server", "app_client", "app_server"] {
            assert_eq!(session[field], truth[field], "{name} {field}");
        }
        for field in ["pairs", "messages_edge", "messages_app"] {
            assert_eq!(session[field], ways(&truth[field]), "{name} {field}");
        }
        if truth.get("proxied").is_some() {
            for end in ["client", "server"] {
                assert_eq!(session["proxied"][end], truth["proxied"][end], "{name}");
            }
            assert_eq!(session["proxied"]["by"], "proxy-v2");
            assert_eq!(session["joined_by"], "address", "{name}");
        }
    }
    // Messages.
    assert_eq!(ours["pairs"], truth["pairs"], "{name}");
    assert_eq!(ours["pairs_by_opcode"], truth["pairs_by_opcode"], "{name}");
    assert_eq!(ours["pairs_not_whole"], 0, "{name}");
    for list in ["only_edge", "only_app", "changed", "reordered"] {
        let empty = Vec::new();
        let truth = truth.get(list).map_or(&empty, |of| of.as_array().unwrap());
        let ours = ours[list].as_array().unwrap();
        assert_eq!(ours.len(), truth.len(), "{name} {list}: {ours:#?}");
        for truth in truth {
            let fields: Vec<(&str, Value)> = [
                ("session", "session"),
                ("index", "index"),
                ("index_edge", "index_edge"),
                ("index_app", "index_app"),
                ("why", "why"),
                ("opcode", "opcode"),
                ("length", "len"),
                ("length_edge", "len_edge"),
                ("length_app", "len_app"),
            ]
            .into_iter()
            .filter_map(|(own, theirs)| Some((own, truth.get(theirs)?.clone())))
            .filter(|(own, _)| list != "changed" || *own != "opcode")
            .chain([("direction", direction(&truth["dir"]))])
            .collect();
            let found = ours
                .iter()
                .any(|of| fields.iter().all(|(field, value)| of[*field] == *value));
            assert!(found, "{name} {list} {truth}: {ours:#?}");
        }
    }
    let unacknowledged = truth
        .get("never_acknowledged")
        .map_or(0, |of| of.as_array().unwrap().len());
    assert_eq!(
        ours["never_acknowledged"].as_array().unwrap().len(),
        unacknowledged,
        "{name}"
    );
    // Clocks.
    let unsure = ours["offset_uncertainty_s"].as_f64().unwrap();
    near(
        &ours["offset_s"],
        truth["offset_s"].as_f64().unwrap(),
        unsure,
        &format!("{name} offset"),
    );
    let least = truth["least_delays"]["uncertainty_s"].as_f64().unwrap();
    let seconds = truth["duration_s"].as_f64().unwrap_or(10.0);
    assert!(
        unsure <= 2.0 * least + 200e-6 * seconds,
        "{name}: {unsure} is too unsure: the least delays give {least}"
    );
    assert_eq!(ours["traffic"], "both");
    assert_eq!(
        (&ours["delays_relative"], &ours["clocks_even"]),
        (&json!(false), &json!(true))
    );
    let drift = truth.get("drift_ppm").map_or(0.0, |drift| drift.as_f64().unwrap());
    let range: Vec<f64> = ours["drift_range_ppm"]
        .as_array()
        .unwrap()
        .iter()
        .map(|of| of.as_f64().unwrap())
        .collect();
    assert!((range[0]..=range[1]).contains(&drift), "{name}: {drift} {range:?}");
    assert_eq!(ours["drift_ppm"].as_f64() == Some(0.0), drift == 0.0, "{name}");
    let unsure = match truth.get("offset_at_end_s") {
        Some(end) => {
            let at_end = ours["offset_at_end_uncertainty_s"].as_f64().unwrap();
            near(
                &ours["offset_at_end_s"],
                end.as_f64().unwrap(),
                at_end,
                &format!("{name} offset at the end"),
            );
            unsure.max(at_end)
        }
        None => unsure,
    };
    // Delays: the offset may be off, and rounds.
    for way in ["c2s", "s2c"] {
        let ours = &ours["delay_ms"][direction(&json!(way)).as_str().unwrap()];
        let truth = &truth["delay_ms"][way];
        assert_eq!(ours["n"], truth["n"], "{name} {way}");
        for rank in ["min", "p50", "p90", "p99", "max"] {
            near(
                &ours[rank],
                truth[rank].as_f64().unwrap(),
                unsure * 1e3 + 0.002,
                &format!("{name} {way} {rank}"),
            );
        }
    }
    // Ends.
    let closes = ours["closes"].as_array().unwrap();
    assert_eq!(closes.len(), truth["closes"].as_array().unwrap().len());
    for (ours, truth) in closes.iter().zip(truth["closes"].as_array().unwrap()) {
        let name = format!("{name} close {}", truth["session"]);
        for field in ["session", "who", "how", "code"] {
            assert_eq!(ours[field], truth[field], "{name} {field}");
        }
        near(
            &ours["after_silence_s"],
            truth["after_silence_s"].as_f64().unwrap(),
            0.0006,
            &name,
        );
        for side in ["edge", "app"] {
            let (ours, truth) = (&ours[side], &truth[side]);
            for field in ["by", "how", "code"] {
                assert_eq!(ours[field], truth[field], "{name} {side} {field}");
            }
            // By a clock that may drift.
            let silence = truth["after_silence_s"].as_f64().unwrap();
            near(
                &ours["after_silence_s"],
                silence,
                2e-6 + 1e-4 * silence,
                &format!("{name} {side}"),
            );
        }
    }
}

fn pair(name: &str) -> [PathBuf; 2] {
    ["edge", "app"].map(|side| fixtures().join(format!("{name}_{side}.pcap")))
}

/// A copy of a capture with its times changed.
fn rewritten(path: &Path, folder: &Path, change: impl Fn(i64) -> i64) -> PathBuf {
    let mut file = Savefile::read(path);
    assert!(!file.nano);
    for record in &mut file.records {
        let micros = change(i64::from(record.seconds) * 1_000_000 + i64::from(record.fraction));
        record.seconds = (micros / 1_000_000) as u32;
        record.fraction = (micros % 1_000_000) as u32;
    }
    let copy = folder.join(path.file_name().unwrap());
    file.write(&copy);
    copy
}

#[test]
fn clocks_that_differ_change_nothing_but_the_offset() {
    let folder = tempfile::tempdir().unwrap();
    for (name, shift, ppm) in [
        ("hap_pass_lo", -3_000_000, 0),
        ("hap_idle2s_lo", 3_000_000, 0),
        ("hap_h2_wss", 3_000_000, 0),
        ("relay_delay_drop_alter_lo", -7_500_000, 120),
        ("relay_deflate_edge_lo", 1_234, -150),
        ("hap_proxyv2_lo", 86_400_000_000, 400),
    ] {
        let [edge, app] = pair(name);
        let before = json_of(&edge, &app);
        let records = Savefile::read(&app).records;
        let first = i64::from(records[0].seconds) * 1_000_000 + i64::from(records[0].fraction);
        let app = rewritten(&app, folder.path(), |at| at + shift + (at - first) * ppm / 1_000_000);
        let after = json_of(&edge, &app);
        for same in ["pairs", "pairs_by_opcode", "sessions"] {
            assert_eq!(after[same], before[same], "{name}");
        }
        for list in ["only_edge", "only_app", "changed", "reordered"] {
            let places = |of: &Value| -> Vec<Value> {
                let all = of[list].as_array().unwrap().iter();
                all.map(|of| json!([of["session"], of["direction"], of["index"], of["index_edge"], of["why"]]))
                    .collect()
            };
            assert_eq!(places(&after), places(&before), "{name} {list}");
        }
        for (closed, truth) in after["closes"]
            .as_array()
            .unwrap()
            .iter()
            .zip(before["closes"].as_array().unwrap())
        {
            assert_eq!(
                (&closed["who"], &closed["how"], &closed["code"]),
                (&truth["who"], &truth["how"], &truth["code"])
            );
        }
        let unsure = after["offset_uncertainty_s"].as_f64().unwrap();
        near(&after["offset_s"], shift as f64 / 1e6, unsure + 1e-6, name);
        let range: Vec<f64> = after["drift_range_ppm"]
            .as_array()
            .unwrap()
            .iter()
            .map(|of| of.as_f64().unwrap())
            .collect();
        assert!((range[0]..=range[1]).contains(&(ppm as f64)), "{name} {range:?}");
        // A message there and one back: the clocks make no difference.
        for rank in ["p50", "p99"] {
            near(
                &after["round_trip_ms"][rank],
                before["round_trip_ms"][rank].as_f64().unwrap(),
                0.2,
                name,
            );
        }
    }
}

/// A message of a capture that was read alone: session, direction, opcode, its bytes, and the packets that brought it.
fn messages(path: &Path) -> Vec<(Value, [u64; 2])> {
    let output = Command::new(env!("CARGO_BIN_EXE_wschat-sniff"))
        .args(["--format", "json", "-r"])
        .arg(path)
        .output()
        .unwrap();
    String::from_utf8(output.stdout)
        .unwrap()
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap())
        .filter(|event| event["event"] == "message")
        .map(|event| {
            let packets = [0, 1].map(|at| event["packets"][at].as_u64().unwrap());
            (event, packets)
        })
        .collect()
}

#[test]
fn what_one_capture_came_too_late_or_too_early_for_is_not_lost() {
    let folder = tempfile::tempdir().unwrap();
    for name in [
        "hap_shift_drift_lo",
        "relay_delay_drop_alter_lo",
        "relay_deflate_edge_lo",
    ] {
        for (side, (from, to)) in [(1, (3, 10)), (1, (0, 6)), (0, (4, 8))] {
            let mut files = pair(name);
            let whole = json_of(&files[0], &files[1]);
            let mut cut = Savefile::read(&files[side]);
            let count = cut.records.len();
            let (from, to) = (count * from / 10, count * to / 10);
            cut.records = cut.records[from..to].to_vec();
            // Those that the cut capture holds whole.
            let held = messages(&files[side])
                .into_iter()
                .filter(|(event, [first, last])| {
                    // What was compressed with a history that is not there cannot be read.
                    *first > from as u64 && *last <= to as u64 && event["compressed"] == false
                })
                .count();
            files[side] = folder.path().join("cut.pcap");
            cut.write(&files[side]);
            let ours = json_of(&files[0], &files[1]);
            let what = format!("{name}, side {side}, packets {from} to {to}");
            let pairs = ours["pairs"].as_u64().unwrap();
            let alone = |list: &str| whole[list].as_array().unwrap().len() as u64;
            // Some of those that are held have no counterpart in the whole captures either.
            assert!(
                pairs + alone("only_edge") + alone("only_app") >= held as u64,
                "{what}: {pairs} of {held}"
            );
            // A session of which nothing can be read without its history cannot be found.
            let unread = name == "relay_deflate_edge_lo" && side == 0;
            for list in ["only_edge", "only_app"] {
                let lost = |of: &Value| {
                    of[list]
                        .as_array()
                        .unwrap()
                        .iter()
                        .filter(|of| {
                            ![
                                "outside the time of the other capture",
                                "the other capture has a gap there",
                            ]
                            .contains(&of["why"].as_str().unwrap())
                        })
                        .count()
                };
                assert!(
                    unread || lost(&ours) <= lost(&whole),
                    "{what} {list}: {:#?}",
                    ours[list]
                );
            }
            for changed in ours["changed"].as_array().unwrap() {
                let known = whole["changed"].as_array().unwrap().iter();
                assert!(
                    known
                        .map(|of| &of["text_edge"])
                        .any(|text| *text == changed["text_edge"]),
                    "{what}: {changed}"
                );
            }
        }
    }
}

#[test]
fn delays_of_traffic_one_way_are_relative() {
    let [edge, app] = pair("relay_delay_drop_alter_lo");
    let filter = "dst port 8080 or dst port 9001";
    let (out, _, code) = compared(&edge, &app, &["--format", "json", filter]);
    assert_eq!(code, 0);
    let ours: Value = serde_json::from_str(&out).unwrap();
    assert_eq!(ours["traffic"], "client-to-server");
    assert_eq!(
        (&ours["offset_s"], &ours["delays_relative"]),
        (&Value::Null, &json!(true))
    );
    assert_eq!(ours["delay_ms"]["client-to-server"]["min"], 0.0);
    // The truth's, without its least.
    near(
        &ours["delay_ms"]["client-to-server"]["p50"],
        42.182 - 31.486,
        0.002,
        "p50",
    );
    assert_eq!(ours["delay_ms"]["client-to-server"]["n"], 142);
    let (out, ..) = compared(&edge, &app, &["--lang", "en", filter]);
    assert!(
        out.contains("traffic went to the server only, so delays are relative"),
        "{out}"
    );
}

#[test]
fn wss_before_the_proxy_is_read_with_its_keys() {
    for (name, pairs, who) in [
        ("hap_h2_wss", 19, &[("proxy", "end-stream", 2.0)][..]),
        (
            "tls_terminator",
            58,
            &[
                ("client", "close", 0.051),
                ("proxy", "fin", 1.5),
                ("client", "close", 0.051),
            ],
        ),
    ] {
        let [edge, app] = pair(name);
        let keys = fixtures().join(format!("{name}.keylog"));
        let (out, err, code) = compared(&edge, &app, &["--format", "json", "--keylog", keys.to_str().unwrap()]);
        assert_eq!(code, 0, "{err}");
        let ours: Value = serde_json::from_str(&out).unwrap();
        assert_eq!(ours["pairs"], pairs, "{name}");
        for list in ["only_edge", "only_app", "changed", "reordered"] {
            assert_eq!(ours[list], json!([]), "{name}");
        }
        near(
            &ours["offset_s"],
            0.0,
            ours["offset_uncertainty_s"].as_f64().unwrap(),
            name,
        );
        assert_eq!(
            (&ours["sessions"][0]["scheme"], &ours["sessions"][0]["scheme_app"]),
            (&json!("wss"), &json!("ws"))
        );
        for (closed, (who, how, silence)) in ours["closes"].as_array().unwrap().iter().zip(who) {
            assert_eq!((&closed["who"], &closed["how"]), (&json!(who), &json!(how)), "{name}");
            near(&closed["after_silence_s"], *silence, 0.03, name);
        }
    }
}

#[test]
fn the_answer_stands_on_one_screen_in_five_languages() {
    let [edge, app] = pair("hap_idle2s_lo");
    for (lang, answer) in [
        ("en", "3 × the proxy closed it after 2.0 s of silence (FIN)"),
        ("es", "3 × el proxy la cerró tras 2,0 s de silencio (FIN)"),
        ("ja", "3 × プロキシが2.0秒の無通信の後に閉じました（FIN）"),
        ("zh-CN", "3 × 空闲2.0秒后由代理关闭（FIN）"),
        ("zh-TW", "3 × 閒置 2.0 秒後由代理伺服器關閉（FIN）"),
    ] {
        let (out, ..) = compared(&edge, &app, &["--lang", lang]);
        assert!(out.contains(answer), "{out}");
        assert!(out.lines().count() <= 24, "{out}");
    }
}

#[test]
fn files_that_are_the_other_way_round_are_noticed() {
    let [edge, app] = pair("hap_pass_lo");
    let (_, err, _) = compared(&app, &edge, &[]);
    assert!(err.contains("the other way round"), "{err}");
    let (_, err, _) = compared(&edge, &app, &[]);
    assert!(!err.contains("the other way round"), "{err}");
}

#[test]
fn what_was_read_before_damage_is_compared() {
    let folder = tempfile::tempdir().unwrap();
    let [edge, app] = pair("hap_pass_lo");
    let cut = folder.path().join("cut.pcap");
    let bytes = std::fs::read(&app).unwrap();
    std::fs::write(&cut, &bytes[..bytes.len() / 2]).unwrap();
    let (out, err, code) = compared(&edge, &cut, &["--format", "json"]);
    assert_eq!(code, 1, "{err}");
    let ours: Value = serde_json::from_str(&out).unwrap();
    assert!(ours["pairs"].as_u64().unwrap() > 100);
}

#[test]
fn a_bound_that_is_reached_is_told() {
    let [edge, app] = pair("hap_shift_drift_lo");
    let (out, err, code) = compared(&edge, &app, &["--format", "json", "--max-memory", "1048576"]);
    assert_eq!(code, 0, "{err}");
    assert!(serde_json::from_str::<Value>(&out).unwrap()["pairs"].as_u64().unwrap() > 100);
    // No file at hand is large enough: one that holds the same traffic many times.
    let folder = tempfile::tempdir().unwrap();
    let many = |path: &Path| {
        let mut file = Savefile::read(path);
        let once = file.records.clone();
        for n in 1..40 {
            file.records.extend(once.iter().cloned().map(|mut record| {
                record.seconds += n * 100;
                // Another connection: the client has another port.
                for at in [34, 36] {
                    let port = u16::from_be_bytes([record.bytes[at], record.bytes[at + 1]]);
                    if port > 30_000 {
                        record.bytes[at..at + 2].copy_from_slice(&(port - 200 * n as u16).to_be_bytes());
                    }
                }
                record
            }));
        }
        let copy = folder.path().join(path.file_name().unwrap());
        file.write(&copy);
        copy
    };
    let (edge, app) = (many(&edge), many(&app));
    let (out, err, code) = compared(&edge, &app, &["--format", "json", "--max-memory", "1048576"]);
    assert_eq!(code, 0, "{err}");
    assert!(err.contains("--max-memory was reached with packet"), "{err}");
    let ours: Value = serde_json::from_str(&out).unwrap();
    assert!(ours["edge"]["max_memory_at_packet"].as_u64().is_some());
    let dropped = ours["only_edge"]
        .as_array()
        .unwrap()
        .iter()
        .chain(ours["only_app"].as_array().unwrap());
    for of in dropped {
        assert_eq!(of["why"], "outside the time of the other capture", "{of}");
    }
}

/// Every name in the object stands in the manual page.
#[test]
fn the_manual_page_describes_every_field() {
    fn names(value: &Value, found: &mut Vec<String>) {
        match value {
            Value::Object(fields) => {
                for (name, value) in fields {
                    found.push(name.clone());
                    names(value, found);
                }
            }
            Value::Array(items) => items.iter().for_each(|item| names(item, found)),
            _ => {}
        }
    }
    let page = include_str!("../man/wschat-sniff-json.5");
    let section = page
        .split(".SH COMPARISON\n")
        .nth(1)
        .unwrap()
        .split(".SH EXAMPLES")
        .next()
        .unwrap();
    let words: Vec<&str> = section
        .split(|c: char| !(c.is_ascii_alphanumeric() || c == '_'))
        .collect();
    let mut found = Vec::new();
    for name in ["relay_delay_drop_alter_lo", "hap_proxyv2_lo"] {
        let [edge, app] = pair(name);
        names(&json_of(&edge, &app), &mut found);
    }
    for name in found {
        // A field of one side of a pair is described without its side; directions and opcodes are values.
        let bare = name.trim_end_matches("_edge").trim_end_matches("_app");
        let is_value = ["to-server", "to-client"].iter().any(|of| name.ends_with(of));
        let is_opcode = ["text", "ping", "pong", "close", "binary"].contains(&name.as_str());
        let of_all = ["event", "time", "ts", "by", "client", "server"].contains(&bare);
        assert!(
            is_value || is_opcode || of_all || words.contains(&bare),
            "{name} is not described"
        );
    }
}

/// What strangers sent is in the lists, and nothing of it commands a terminal.
#[test]
fn nothing_captured_is_printed_raw() {
    let [edge, app] = pair("hap_pass_lo");
    let mut listed = 0;
    for folder in ["attacks", "transcripts"] {
        for entry in std::fs::read_dir(fixtures().parent().unwrap().join(folder)).unwrap() {
            let path = entry.unwrap().path();
            if !path.extension().is_some_and(|end| end == "pcap" || end == "pcapng") {
                continue;
            }
            let (json, ..) = compared(&path, &app, &["--format", "json"]);
            let (text, ..) = compared(&edge, &path, &["--full"]);
            let ours: Value = serde_json::from_str(&json).unwrap();
            listed += ours["only_edge"].as_array().unwrap().len();
            for ch in json.chars().chain(text.chars()) {
                let is_bidi = matches!(ch, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
                assert!(
                    ch == '\n' || !ch.is_control() && !is_bidi,
                    "{ch:?} of {}",
                    path.display()
                );
            }
        }
    }
    assert!(listed > 100);
}
