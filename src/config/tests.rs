//! Layers and values of the configuration.
