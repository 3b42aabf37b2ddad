//! Two of something, one for each direction.

use std::ops::{Index, IndexMut};

use super::Direction;

/// One `T` for what the client sends and one for what the server sends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct PerDirection<T> {
    /// Of what the client sends.
    pub client_to_server: T,
    /// Of what the server sends.
    pub server_to_client: T,
}

impl<T> PerDirection<T> {
    /// Made by `make` for each direction.
    pub fn from_fn(mut make: impl FnMut(Direction) -> T) -> Self {
        Self {
            client_to_server: make(Direction::ClientToServer),
            server_to_client: make(Direction::ServerToClient),
        }
    }

    /// Both, the client's first.
    pub fn iter(&self) -> impl Iterator<Item = &T> {
        [&self.client_to_server, &self.server_to_client].into_iter()
    }
}

impl<T> Index<Direction> for PerDirection<T> {
    type Output = T;

    #[inline]
    fn index(&self, direction: Direction) -> &T {
        match direction {
            Direction::ClientToServer => &self.client_to_server,
            Direction::ServerToClient => &self.server_to_client,
        }
    }
}

impl<T> IndexMut<Direction> for PerDirection<T> {
    #[inline]
    fn index_mut(&mut self, direction: Direction) -> &mut T {
        match direction {
            Direction::ClientToServer => &mut self.client_to_server,
            Direction::ServerToClient => &mut self.server_to_client,
        }
    }
}
