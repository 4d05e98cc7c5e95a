//! How long work took of which parts ran side by side.

/// Returns how long at least one of several spans of time lasted; each is a beginning and a length.
pub(crate) fn together(spans: impl IntoIterator<Item = (u64, u64)>) -> u64 {
    let mut spans: Vec<(u64, u64)> = spans.into_iter().collect();
    spans.sort_unstable();
    let (mut sum, mut end) = (0, 0);
    for (from, length) in spans {
        let to = from + length;
        sum += to.saturating_sub(end.max(from));
        end = end.max(to);
    }
    sum
}

#[cfg(test)]
mod tests {
    use super::together;

    #[test]
    fn what_overlaps_counts_once() {
        assert_eq!(together([]), 0);
        assert_eq!(together([(10, 5), (20, 5)]), 10);
        assert_eq!(together([(12, 10), (10, 5)]), 12);
        assert_eq!(together([(10, 10), (12, 3), (20, 1)]), 11);
    }
}
