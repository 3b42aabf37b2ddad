//! What only root can try: capturing, and giving root up. `make test` runs these when it is run as root.

mod demonstration;
mod live;
mod rights;
mod selected;
