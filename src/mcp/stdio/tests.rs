//! The stdio server over in-memory pipes.
