//! What messages mean to the application, across sessions.
