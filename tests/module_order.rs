//! Modules are in an order: each imports only from those above it in the list of `src/lib.rs`.

use std::fs;
use std::path::{Path, PathBuf};

/// From the top of the list to the bottom: each may use those before it.
const ORDER: &[&str] = &[
    "base", "bounded", "wire", "tcp", "record", "session", "layer", "dissect", "engine", "select", "annotate",
    "export", "capture", "server", "cli", "run",
];

/// The modules that may not do I/O, read a clock, log or start a thread: time comes with the packet.
const CORE: &[&str] = &[
    "base", "bounded", "wire", "tcp", "record", "session", "layer", "dissect", "engine",
];

/// What the core may not name.
const IMPURE: &[&str] = &[
    "std::fs",
    "std::io",
    "std::thread",
    "std::process",
    "std::env",
    "SystemTime",
    "Instant::now",
    "println!",
    "eprintln!",
    "std::net::Tcp",
    "std::net::Udp",
];

#[test]
fn no_import_against_the_order() {
    let mut against = Vec::new();
    for file in sources() {
        let Some(own) = module_of(&file) else { continue };
        for (line, used) in imports(&fs::read_to_string(&file).unwrap()) {
            let Some(used) = ORDER.iter().position(|f| *f == used) else {
                continue;
            };
            if used > own {
                against.push(format!(
                    "{}:{line}: {} uses {}",
                    file.display(),
                    ORDER[own],
                    ORDER[used]
                ));
            }
        }
    }
    assert!(against.is_empty(), "imports against the order:\n{}", against.join("\n"));
}

#[test]
fn the_core_does_no_io() {
    let mut impure = Vec::new();
    for file in sources() {
        let Some(own) = module_of(&file) else { continue };
        if !CORE.contains(&ORDER[own]) {
            continue;
        }
        // Tests may say what they measured.
        if file
            .file_stem()
            .is_some_and(|stem| stem.to_string_lossy().ends_with("tests"))
        {
            continue;
        }
        let text = fs::read_to_string(&file).unwrap();
        let code = text.split("#[cfg(test)]").next().unwrap_or_default();
        for (n, line) in code.lines().enumerate() {
            let line = line.split("//").next().unwrap_or_default();
            impure.extend(
                IMPURE
                    .iter()
                    .filter(|w| line.contains(**w))
                    .map(|w| format!("{}:{}: {w}", file.display(), n + 1)),
            );
        }
    }
    assert!(impure.is_empty(), "the core reaches outside:\n{}", impure.join("\n"));
}

#[test]
fn only_capture_names_the_pcap_crate() {
    for file in sources() {
        if module_of(&file).is_some_and(|f| ORDER[f] == "capture") {
            continue;
        }
        let text = fs::read_to_string(&file).unwrap();
        assert!(
            !text
                .lines()
                .any(|l| l.contains("pcap::") && !l.trim_start().starts_with("//")),
            "{} names the pcap crate",
            file.display()
        );
    }
}

/// A check of the checker: it sees every form of import that the sources use.
#[test]
fn imports_are_found_in_every_form() {
    let text = "use crate::run;\nuse crate::{\n    cli::Args,\n    base::{Gap, Side},\n};\nlet x = crate::tcp::Table;\n// crate::annotate::texts\n";
    let found: Vec<String> = imports(text).into_iter().map(|(_, f)| f).collect();
    assert_eq!(found, ["run", "cli", "base", "tcp"]);
}

fn sources() -> Vec<PathBuf> {
    let mut files = Vec::new();
    walk(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), &mut files);
    files.sort();
    assert!(files.len() > 10, "the sources were not found");
    files
}

fn walk(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            walk(&path, files);
        } else if path.extension().is_some_and(|e| e == "rs") {
            files.push(path);
        }
    }
}

fn module_of(file: &Path) -> Option<usize> {
    let below = file
        .strip_prefix(Path::new(env!("CARGO_MANIFEST_DIR")).join("src"))
        .unwrap();
    let first = below.components().next()?.as_os_str().to_str()?;
    ORDER.iter().position(|f| *f == first.trim_end_matches(".rs"))
}

/// The first path segments behind every `crate::` outside of comments, with their lines.
fn imports(text: &str) -> Vec<(usize, String)> {
    let code: String = text
        .lines()
        .map(|l| l.split("//").next().unwrap_or_default())
        .collect::<Vec<_>>()
        .join("\n");
    let mut found = Vec::new();
    for (at, _) in code.match_indices("crate::") {
        let line = code[..at].matches('\n').count() + 1;
        let rest = &code[at + "crate::".len()..];
        if let Some(group) = rest.strip_prefix('{') {
            let mut depth = 0;
            let mut item = String::new();
            for c in group.chars() {
                match c {
                    '{' => depth += 1,
                    '}' if depth == 0 => break,
                    '}' => depth -= 1,
                    ',' if depth == 0 => found.push((line, first_name(&std::mem::take(&mut item)))),
                    _ if depth == 0 => item.push(c),
                    _ => {}
                }
            }
            found.push((line, first_name(&item)));
        } else {
            found.push((line, first_name(rest)));
        }
    }
    found.retain(|(_, name)| !name.is_empty());
    found
}

fn first_name(path: &str) -> String {
    path.trim_start()
        .chars()
        .take_while(|c| c.is_alphanumeric() || *c == '_')
        .collect()
}
