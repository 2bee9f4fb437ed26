//! One event of logs, RUM, the event stream or Database Monitoring, and how queries see it.

use crate::json::{Attributes, View};
use crate::query::Searchable;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use std::sync::Arc;

/// A record with a message, tags and attributes.
#[derive(Debug, Clone)]
pub(crate) struct Event {
    /// Milliseconds.
    pub(crate) at: i64,
    /// Its id, when it has one of its own; otherwise [`Event::id`] makes one.
    pub(crate) own_id: Option<Arc<str>>,
    pub(crate) status: &'static str,
    /// Not every log has a service.
    pub(crate) service: Option<&'static str>,
    pub(crate) host: Arc<str>,
    /// Index of the product it is kept in.
    pub(crate) index: &'static str,
    pub(crate) message: String,
    /// `key:value`.
    pub(crate) tags: Arc<[String]>,
    pub(crate) attributes: Attributes,
}

impl Event {
    /// Opaque id of the `nth` event of its product.
    pub(crate) fn id(&self, nth: usize) -> String {
        if let Some(own) = &self.own_id {
            return own.to_string();
        }
        let mut bytes = [0_u8; 27];
        bytes[0] = 3;
        bytes[3..11].copy_from_slice(&self.at.to_be_bytes());
        bytes[11..19].copy_from_slice(&(nth as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15).to_be_bytes());
        bytes[19..27].copy_from_slice(&(nth as u64).to_be_bytes());
        URL_SAFE_NO_PAD.encode(bytes)
    }
}

/// Oldest first; equal times keep the order they were made in.
pub(crate) fn sorted(mut events: Vec<Event>) -> Vec<Event> {
    events.sort_by_key(|event| event.at);
    events
}

/// Shows the values of the tags called `name`.
pub(crate) fn tag(tags: &[String], name: &str, see: &mut dyn FnMut(View<'_>) -> bool) -> bool {
    tags.iter().any(|tag| match tag.split_once(':') {
        Some((key, value)) => key == name && see(View::Text(value)),
        None => tag == name && see(View::Text("")),
    })
}

impl Searchable for Event {
    fn message(&self) -> &str {
        &self.message
    }

    fn key(&self, name: &str, see: &mut dyn FnMut(View<'_>) -> bool) -> bool {
        let reserved = match name {
            "service" => self.service.is_some_and(|service| see(View::Text(service))),
            "status" => see(View::Text(self.status)),
            "host" => see(View::Text(&self.host)),
            "index" => see(View::Text(self.index)),
            "trace_id" => ["dd.trace_id", "_dd.trace_id"].iter().filter_map(|path| self.attributes.get(path)).any(|id| see(id.view())),
            _ => false,
        };
        reserved || tag(&self.tags, name, see)
    }

    fn attribute(&self, path: &str) -> Option<View<'_>> {
        match (self.attributes.get(path), path) {
            (Some(value), _) => Some(value.view()),
            (None, "trace_id") => self.attributes.get("dd.trace_id").map(crate::json::Scalar::view),
            (None, "service") => self.service.map(View::Text),
            (None, "status") => Some(View::Text(self.status)),
            _ => None,
        }
    }

    fn attributes(&self, see: &mut dyn FnMut(View<'_>) -> bool) -> bool {
        self.attributes.iter().any(|(_, value)| see(value.view()))
    }
}
