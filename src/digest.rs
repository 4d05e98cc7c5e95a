//! Digests of texts.

/// Takes in texts one by one, each with its length: the same letters cut into other texts give another digest.
#[derive(Default)]
pub(crate) struct Digest(blake3::Hasher);

impl Digest {
    pub(crate) fn add(&mut self, text: &str) {
        self.0.update(&(text.len() as u64).to_le_bytes());
        self.0.update(text.as_bytes());
    }

    pub(crate) fn finish(&self) -> String {
        self.0.finalize().to_hex().to_string()
    }
}

/// Digests texts, each with its length.
pub(crate) fn of<'a>(texts: impl IntoIterator<Item = &'a str>) -> String {
    let mut digest = Digest::default();
    for text in texts {
        digest.add(text);
    }
    digest.finish()
}

#[cfg(test)]
mod tests {
    use super::of;

    #[test]
    fn the_same_letters_cut_otherwise_are_other_texts() {
        assert_eq!(of(["ab", "c"]), of(["ab", "c"]));
        assert_ne!(of(["ab", "c"]), of(["a", "bc"]));
        assert_ne!(of(["ab", ""]), of(["ab"]));
    }
}
