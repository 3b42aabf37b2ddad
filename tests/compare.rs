//! `--compare` on pairs of captures around real proxies: what both ends and the proxy logged, field by field.
//!
//! `fixtures/find/NAME.json` is the truth beside `NAME_edge.pcap` and `NAME_app.pcap`.

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::{Value, json};

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
    let (out, err, code) = compared(edge, app, &["--format", "json"]);
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
