//! The recipes of docs/scale.md are run as they stand there, over captures whose answers are known.
//!
//! Python runs them, in a virtual environment under the target folder: DuckDB comes from PyPI, ClickHouse from `chdb` where that is
//! installed. What could not be had is said, and left out.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::{Value, json};

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn document() -> String {
    fs::read_to_string(root().join("docs/scale.md")).unwrap()
}

/// The code of the document, by the words behind its fence, in order.
fn blocks(kind: &str) -> Vec<(String, String)> {
    let text = document();
    let mut found = Vec::new();
    for block in text.split("\n```").skip(1).step_by(2) {
        let (head, code) = block.split_once('\n').unwrap();
        if let Some(name) = head.strip_prefix(kind) {
            found.push((name.trim().to_owned(), code.to_owned()));
        }
    }
    assert!(!found.is_empty(), "{kind}");
    found
}

/// The list behind `FIELDS=`.
fn fields() -> String {
    let text = document();
    let line = text.lines().find_map(|line| line.trim().strip_prefix("FIELDS="));
    line.unwrap().to_owned()
}

/// The captures, each with the name of its sensor.
const CAPTURES: &[(&str, &str)] = &[
    ("java", "transcripts/java-ipv6-options.pcapng"),
    ("chat", "workerman-chat-2014/capture.pcap"),
    ("odd", "ws-oddities/capture.pcap"),
    ("rpc", "reports/socketio.pcap"),
];

/// Writes what the hosts would, and gives the events.
fn events(folder: &Path) -> Vec<Value> {
    let mut all = Vec::new();
    for (sensor, capture) in CAPTURES {
        let output = Command::new(env!("CARGO_BIN_EXE_wschat-sniff"))
            .args([
                "--format",
                "json",
                "--json-fields",
                &fields(),
                "--tag",
                &format!("sensor={sensor}"),
                "-r",
            ])
            .arg(root().join("fixtures").join(capture))
            .output()
            .unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let text = String::from_utf8(output.stdout).unwrap();
        all.extend(text.lines().map(|line| serde_json::from_str::<Value>(line).unwrap()));
        fs::write(folder.join(format!("events-{sensor}.ndjson")), text).unwrap();
    }
    all
}

/// A row of an answer, as it stands in the tables.
type Row = Vec<Value>;

/// The answers, worked out from the events (and, for one capture, from what its two ends wrote down).
fn answers(events: &[Value]) -> BTreeMap<&'static str, Vec<Row>> {
    let of = |kind: &'static str| events.iter().filter(move |event| event["event"] == kind);
    let count = |rows: Vec<Row>| -> Vec<Row> {
        let mut counts: BTreeMap<String, (Row, u64)> = BTreeMap::new();
        for row in rows {
            counts.entry(json!(row).to_string()).or_insert((row, 0)).1 += 1;
        }
        counts
            .into_values()
            .map(|(row, count)| [row, vec![json!(count)]].concat())
            .collect()
    };
    let field = |event: &Value, names: &[&str]| -> Row { names.iter().map(|name| event[*name].clone()).collect() };
    let mut bytes: BTreeMap<String, u64> = BTreeMap::new();
    for message in of("message") {
        let row = field(message, &["sensor", "direction", "opcode"]);
        *bytes.entry(json!(row).to_string()).or_default() += message["length"].as_u64().unwrap();
    }
    let mut traffic = count(
        of("message")
            .map(|event| field(event, &["sensor", "direction", "opcode"]))
            .collect(),
    );
    for row in &mut traffic {
        row.push(json!(bytes[&json!(row[..3]).to_string()]));
    }
    let ends = count(
        of("session-end")
            .map(|event| field(event, &["sensor", "verdict", "abnormal"]))
            .collect(),
    );
    let types = of("message").filter_map(|event| {
        let text: Value = serde_json::from_str(event["text"].as_str()?).ok()?;
        let kind = text.get("type")?.as_str()?.to_owned();
        Some(vec![event["sensor"].clone(), json!(kind)])
    });
    let types = count(types.collect());
    let mut slow: BTreeMap<String, (Row, u64, f64)> = BTreeMap::new();
    for event in events {
        if let Some(after) = event["meaning"]["answers"]["after_ms"].as_f64() {
            let row = vec![event["sensor"].clone(), event["meaning"]["protocol"].clone()];
            let entry = slow.entry(json!(row).to_string()).or_insert((row, 0, f64::MIN));
            entry.1 += 1;
            entry.2 = entry.2.max(after);
        }
    }
    let slow = slow.into_values();
    let slow = slow
        .map(|(row, count, slowest)| [row, vec![json!(count), json!(slowest)]].concat())
        .collect();
    let target = |uid: &Value| -> Value {
        let own = of("handshake").find(|event| &event["session_uid"] == uid && !uid.is_null());
        own.map_or(Value::Null, |event| event["request"]["target"].clone())
    };
    let broken =
        of("violation").map(|event| [field(event, &["sensor", "id"]), vec![target(&event["session_uid"])]].concat());
    let violations = count(broken.collect());
    BTreeMap::from([
        ("traffic", traffic),
        ("ends", ends),
        ("types", types),
        ("answers", slow),
        ("violations", violations),
    ])
}

/// Python in an environment of its own, if DuckDB or what is asked for can be had there.
fn python(package: &str, install: bool) -> Result<PathBuf, String> {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("scale-venv");
    let python = folder.join("bin/python");
    let said = |output: Output| {
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        if output.status.success() { Ok(()) } else { Err(said) }
    };
    let run = |program: &Path, arguments: &[&str]| {
        let output = Command::new(program).args(arguments).output();
        output.map_err(|error| error.to_string()).and_then(said)
    };
    if !python.exists() {
        run(
            Path::new("python3"),
            &["-m", "venv", "--system-site-packages", folder.to_str().unwrap()],
        )?;
    }
    let import = format!("import {package}");
    if run(&python, &["-c", &import]).is_err() {
        if !install {
            return Err(format!("{package} is not installed"));
        }
        run(&python, &["-m", "pip", "install", "--quiet", package])?;
    }
    Ok(python)
}

/// Runs the recipe of one database in a folder; gives the rows of each question.
fn recipe(kind: &str, python: &Path, script: &str, folder: &Path) -> BTreeMap<String, Vec<Row>> {
    let blocks: Vec<Value> = blocks(&format!("sql {kind}"))
        .into_iter()
        .map(|(name, code)| json!([name, code]))
        .collect();
    fs::write(folder.join("blocks.json"), json!(blocks).to_string()).unwrap();
    let output = Command::new(python)
        .args(["-c", script])
        .current_dir(folder)
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{kind}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    serde_json::from_slice(&output.stdout).unwrap()
}

#[track_caller]
fn same(kind: &str, given: &BTreeMap<String, Vec<Row>>, wanted: &BTreeMap<&str, Vec<Row>>) {
    for (name, wanted) in wanted {
        // Databases have their own idea of where nothing belongs, and of nothing itself; the order of rows is told by their keys.
        let plain = |rows: &Vec<Row>| {
            let mut rows: Vec<String> = rows
                .iter()
                .map(|row| {
                    let empty = |value: &Value| match value {
                        Value::Null => json!(""),
                        // 10 and 10.0 are the same.
                        Value::Number(number) => json!(number.as_f64()),
                        other => other.clone(),
                    };
                    json!(row.iter().map(empty).collect::<Row>()).to_string()
                })
                .collect();
            rows.sort();
            rows
        };
        assert!(!wanted.is_empty(), "{name}: nothing to ask for");
        assert_eq!(plain(&given[*name]), plain(wanted), "{kind} {name}");
    }
}

#[test]
#[ignore = "needs python3 and PyPI"]
fn the_recipes_give_the_answers_that_are_known() {
    let folder = tempfile::tempdir().unwrap();
    let events = events(folder.path());
    let wanted = answers(&events);
    // What the ends of one conversation wrote down themselves.
    let truth = fs::read_to_string(root().join("fixtures/transcripts/java-ipv6-options.ndjson")).unwrap();
    let truth: Vec<Value> = truth.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let sum = |dir: &str, opcode: &str| {
        let own = truth
            .iter()
            .filter(|line| line["dir"] == dir && line["opcode"] == opcode);
        own.fold((0, 0), |(count, bytes), line| {
            (count + 1, bytes + line["len"].as_u64().unwrap())
        })
    };
    for (dir, direction) in [("c2s", "client-to-server"), ("s2c", "server-to-client")] {
        let (count, bytes) = sum(dir, "text");
        let row = vec![
            json!("java"),
            json!(direction),
            json!("text"),
            json!(count),
            json!(bytes),
        ];
        assert!(wanted["traffic"].contains(&row), "{row:?}: {:?}", wanted["traffic"]);
    }
    let says = vec![json!("chat"), json!("say"), json!(3)];
    assert!(wanted["types"].contains(&says), "{:?}", wanted["types"]);
    let mut ran = 0;
    match python("duckdb", true) {
        Ok(python) => {
            let given = recipe("duckdb", &python, DUCKDB, folder.path());
            same("duckdb", &given, &wanted);
            ran += 1;
        }
        Err(reason) => eprintln!("skipped DuckDB: {reason}"),
    }
    match python("chdb", false) {
        Ok(python) => {
            let given = recipe("clickhouse", &python, CHDB, folder.path());
            same("clickhouse", &given, &wanted);
            ran += 1;
        }
        Err(reason) => eprintln!("skipped ClickHouse: {reason}"),
    }
    eprintln!("{ran} of 2 recipes ran");
}

const DUCKDB: &str = r#"
import duckdb, json, datetime
db = duckdb.connect()
answers = {}
for name, code in json.load(open("blocks.json")):
    result = db.execute(code)
    if name:
        answers[name] = [list(row) for row in result.fetchall()]
# What went through Parquet is what was read.
assert db.execute("SELECT count(*) FROM events").fetchone() == db.execute("SELECT count(*) FROM 'events.parquet'").fetchone()
print(json.dumps(answers))
"#;

const CHDB: &str = r#"
import json, os
from chdb import session
db = session.Session("clickhouse")
answers = {}
for name, code in json.load(open("blocks.json")):
    code = code.replace("file('events*", "file('" + os.getcwd() + "/events*")
    result = db.query(code.rstrip().rstrip(";"), "JSONCompact")
    if name:
        answers[name] = [[int(v) if isinstance(v, str) and v.isdigit() else v for v in row] for row in json.loads(str(result))["data"]]
print(json.dumps(answers))
"#;

#[test]
#[ignore = "needs python3"]
fn the_configuration_for_vector_is_whole() {
    let folder = tempfile::tempdir().unwrap();
    let [(_, config)] = &blocks("toml vector")[..] else {
        panic!("there is one");
    };
    fs::write(folder.path().join("vector.toml"), config).unwrap();
    let output = Command::new("python3")
        .args([
            "-c",
            "import json, tomllib; print(json.dumps(tomllib.load(open('vector.toml', 'rb'))))",
        ])
        .current_dir(folder.path())
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let config: Value = serde_json::from_slice(&output.stdout).unwrap();
    let parts = ["sources", "transforms", "sinks"].map(|part| config[part].as_object().unwrap());
    let names: Vec<&String> = parts.iter().flat_map(|part| part.keys()).collect();
    for (name, part) in parts.iter().flat_map(|part| part.iter()) {
        assert!(part["type"].is_string(), "{name}");
        for input in part.get("inputs").and_then(Value::as_array).into_iter().flatten() {
            assert!(names.iter().any(|known| *known == input), "{name} reads {input}");
        }
    }
    // The command line is one that the program takes, but for the interface.
    let command: Vec<&str> = config["sources"]["wschat"]["command"]
        .as_array()
        .unwrap()
        .iter()
        .map(|word| word.as_str().unwrap())
        .collect();
    assert_eq!(command[..3], ["wschat-sniff", "-i", "any"]);
    assert!(
        command.contains(&fields().as_str()),
        "another list of fields: {command:?}"
    );
    let output = Command::new(env!("CARGO_BIN_EXE_wschat-sniff"))
        .args(&command[3..])
        .arg("-r")
        .arg(root().join("fixtures/workerman-chat-2014/capture.pcap"))
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert!(output.stdout.starts_with(b"{\"event\":"));
}
