//! What a caller says of the trace that a request belongs to: `traceparent` of W3C Trace Context, level 1. What is not well formed
//! is as good as nothing.

use axum::http::HeaderMap;

/// A trace, the span in it that asks, and whether the caller has it recorded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Context {
    pub(super) trace: [u8; 16],
    pub(super) parent: [u8; 8],
    pub(super) is_sampled: bool,
}

impl Context {
    pub(super) fn of(headers: &HeaderMap) -> Option<Self> {
        let mut lines = headers.get_all("traceparent").iter();
        let line = lines.next()?.to_str().ok()?;
        if lines.next().is_some() {
            return None;
        }
        Self::parse(line)
    }

    /// Section 3.2.2. Of a version to come only what this one has is read, and it may go on behind that.
    fn parse(text: &str) -> Option<Self> {
        let mut parts = text.split('-');
        let version: [u8; 1] = hex(parts.next()?)?;
        let (trace, parent, [flags]): ([u8; 16], [u8; 8], [u8; 1]) =
            (hex(parts.next()?)?, hex(parts.next()?)?, hex(parts.next()?)?);
        let is_whole = version != [0] || parts.next().is_none();
        let is_one = version != [0xff] && trace != [0; 16] && parent != [0; 8];
        (is_whole && is_one).then_some(Self { trace, parent, is_sampled: flags & 1 == 1 })
    }
}

/// Bytes in hexadecimal, in small letters, and as many as there have to be.
fn hex<const N: usize>(text: &str) -> Option<[u8; N]> {
    let digit = |digit: u8| match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'a'..=b'f' => Some(digit - b'a' + 10),
        _ => None,
    };
    let mut bytes = [0; N];
    let (pairs, []) = text.as_bytes().as_chunks::<2>() else { return None };
    if pairs.len() != N {
        return None;
    }
    for (byte, [high, low]) in bytes.iter_mut().zip(pairs) {
        *byte = digit(*high)? << 4 | digit(*low)?;
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

    #[test]
    fn what_a_caller_says_is_read_as_the_standard_has_it() {
        let context = Context::parse(GOOD).unwrap();
        assert_eq!((context.trace[..2].to_vec(), context.parent[7]), (vec![0x4b, 0xf9], 0xb7));
        assert!(context.is_sampled);
        assert!(!Context::parse(&GOOD.replace("-01", "-00")).unwrap().is_sampled);
        assert!(Context::parse(&GOOD.replace("-01", "-03")).unwrap().is_sampled);
        assert_eq!(Context::parse(&format!("{}-more", GOOD.replacen("00", "01", 1))), Some(context));
    }

    #[test]
    fn what_is_malformed_is_as_good_as_nothing() {
        for wrong in [
            "",
            "00",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-1",
            "00-4bf92f3577b34da6a3ce929d0e0e473-00f067aa0ba902b7-01",
            "00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01",
            "00-00000000000000000000000000000000-00f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-more",
            "ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e47é-00f067aa0ba902b7-01",
            " 00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
        ] {
            assert_eq!(Context::parse(wrong), None, "{wrong}");
        }
        let mut headers = HeaderMap::new();
        headers.append("traceparent", GOOD.parse().unwrap());
        assert_eq!(Context::of(&headers), Context::parse(GOOD));
        headers.append("traceparent", GOOD.parse().unwrap());
        assert_eq!(Context::of(&headers), None);
    }
}
