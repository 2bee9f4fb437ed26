//! Pages of lists with opaque cursors.

use rmcp::{ErrorData, model::PaginatedRequestParams};

/// Items of one page.
pub(super) const PAGE: usize = 100;

/// How long a client may keep a list: it changes only when the server is restarted with another configuration.
pub(super) const TTL_MS: u64 = 300_000;

/// Cuts the page that `request` asks for out of `items`; gives the cursor of the next one.
///
/// The cursor names the list and the offset, so that one of another list, a made-up one or one past the end is refused (-32602).
pub(super) fn page<T: Clone>(
    list: &str,
    items: &[T],
    size: usize,
    request: Option<PaginatedRequestParams>,
) -> Result<(Vec<T>, Option<String>), ErrorData> {
    let start = match request.and_then(|request| request.cursor) {
        None => 0,
        Some(cursor) => cursor
            .strip_prefix(list)
            .and_then(|rest| rest.strip_prefix('-'))
            .and_then(|offset| offset.parse::<usize>().ok())
            .filter(|offset| *offset < items.len() && *offset > 0 && offset.is_multiple_of(size))
            .ok_or_else(|| ErrorData::invalid_params(format!("Invalid cursor for {list}: start again without one."), None))?,
    };
    let end = items.len().min(start + size);
    let next = (end < items.len()).then(|| format!("{list}-{end}"));
    Ok((items[start..end].to_vec(), next))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn asking(cursor: &str) -> PaginatedRequestParams {
        PaginatedRequestParams::default().with_cursor(Some(cursor.to_owned()))
    }

    proptest! {
        #[test]
        fn walking_the_pages_yields_every_item_once_and_in_order(count in 0_usize..400, size in 1_usize..90) {
            let items: Vec<usize> = (0..count).collect();
            let (mut seen, mut next) = page("tools", &items, size, None).unwrap();
            while let Some(cursor) = next {
                let (more, after) = page("tools", &items, size, Some(asking(&cursor))).unwrap();
                prop_assert!(!more.is_empty());
                seen.extend(more);
                next = after;
            }
            prop_assert_eq!(seen, items);
        }

        #[test]
        fn made_up_cursors_are_refused(cursor in "[ -~]{0,20}") {
            prop_assume!(cursor != "tools-2");
            prop_assert!(page("tools", &[1, 2, 3], 2, Some(asking(&cursor))).is_err());
        }
    }
}
