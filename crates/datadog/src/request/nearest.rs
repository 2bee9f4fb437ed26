//! The name that was probably meant.

/// The valid name that is closest, when one is close: same letters and digits, or few edits away.
pub(super) fn nearest<'a>(name: &str, valid: &[&'a str]) -> Option<&'a str> {
    let plain = |text: &str| text.chars().filter(char::is_ascii_alphanumeric).map(|c| c.to_ascii_lowercase()).take(64).collect::<Vec<_>>();
    let wanted = plain(name);
    if wanted.is_empty() {
        return None;
    }
    valid
        .iter()
        .map(|candidate| {
            let letters = plain(candidate);
            // `limit` is meant by `page[limit]`: a part that is whole counts as near.
            let part = letters.len() > 3 && wanted.len() > 3 && (letters.ends_with(&wanted) || wanted.ends_with(&letters));
            (if part { 1 } else { strsim::generic_levenshtein(&wanted, &letters) }, *candidate)
        })
        .filter(|(distance, _)| *distance <= 1 + wanted.len() / 4)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}
