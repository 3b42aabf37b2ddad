//! The program `wschat-sniff`.

fn main() -> anyhow::Result<()> {
    anyhow::bail!("not wired yet")
}
