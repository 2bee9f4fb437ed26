//! The table on hand-made records and on the shop's events.
