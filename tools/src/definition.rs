//! Tools defined as data: the TOML format, read and checked.
