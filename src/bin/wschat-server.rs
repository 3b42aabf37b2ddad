//! The program `wschat-server`.

fn main() -> anyhow::Result<()> {
    anyhow::bail!("not wired yet")
}
