//! Normalises e-mail addresses.

use unicode_normalization::UnicodeNormalization;

use super::text::is_plain_lower;

const NO_ADDRESS: &str = "not an e-mail address";

/// Trims, brings to NFKC and lower case, and checks that the text looks like an address.
///
/// That is: one `@` with something before it, a domain of two labels or more behind it, none of them empty, and no
/// white space or control characters anywhere. `scratch` holds the outcome when it differs from the text.
pub(crate) fn normalise_email<'a>(
    text: &'a str,
    scratch: &'a mut String,
) -> Result<&'a str, &'static str> {
    let text = text.trim();
    let normal = if is_plain_lower(text) {
        text
    } else {
        scratch.clear();
        if text.is_ascii() {
            scratch.push_str(text);
            scratch.make_ascii_lowercase();
        } else {
            scratch.extend(text.nfkc().flat_map(char::to_lowercase).nfkc());
        }
        scratch.trim()
    };
    if looks_like_address(normal) { Ok(normal) } else { Err(NO_ADDRESS) }
}

fn looks_like_address(text: &str) -> bool {
    let Some((local, domain)) = text.split_once('@') else {
        return false;
    };
    let mut labels = 0;
    let mut complete = true;
    for label in domain.split('.') {
        labels += 1;
        complete &= !label.is_empty();
    }
    let unfit = |character: char| character.is_whitespace() || character.is_control();
    !local.is_empty() && labels >= 2 && complete && !domain.contains('@') && !text.contains(unfit)
}

#[cfg(test)]
mod tests {
    use super::{NO_ADDRESS, normalise_email};

    fn normal(text: &str) -> Result<String, &'static str> {
        let mut scratch = String::new();
        normalise_email(text, &mut scratch).map(str::to_owned)
    }

    #[test]
    fn addresses_of_one_mailbox_become_one_text() {
        for text in ["ann@x.org", " Ann@X.org ", "ANN@x.ORG", "ａｎｎ@x.org", "ann＠x.org"] {
            assert_eq!(normal(text), Ok("ann@x.org".to_owned()), "{text}");
        }
        assert_eq!(normal("ann+a.b@mail.x.org"), Ok("ann+a.b@mail.x.org".to_owned()));
        assert_eq!(normal("ÉVA@x.org"), Ok("éva@x.org".to_owned()));
        assert_eq!(normal("张三@例子.中国"), Ok("张三@例子.中国".to_owned()));
    }

    #[test]
    fn what_does_not_look_like_an_address_is_refused() {
        for text in [
            "",
            "@",
            "ann",
            "ann@",
            "@x.org",
            "ann@x",
            "ann@x.",
            "ann@.org",
            "ann@x..org",
            "a nn@x.org",
            "ann@@x.org",
            "ann@x@y.org",
            "ann@x.org;bob@x.org",
            "ann@x\u{0}.org",
        ] {
            assert_eq!(normal(text), Err(NO_ADDRESS), "{text}");
        }
    }

    #[test]
    fn a_normal_address_stays_as_it_is() {
        let mut scratch = String::new();
        let once = normal("ÉVA@İx.org").unwrap();
        assert_eq!(normalise_email(&once, &mut scratch), Ok(once.as_str()));
    }
}
