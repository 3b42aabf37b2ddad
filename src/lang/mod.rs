//! Notes become words: one catalog a language.
