//! How many there are of something, for people.

/// A count with its noun: `1 identity`, `1,204 identities`.
#[must_use]
pub fn counted(count: u64, one: &str, many: &str) -> String {
    if count == 1 {
        return format!("1 {one}");
    }
    let digits = count.to_string();
    let mut said = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            said.push(',');
        }
        said.push(digit);
    }
    format!("{said} {many}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_is_one_and_many_can_be_read() {
        for (count, said) in [
            (0, "0 pools"),
            (1, "1 pool"),
            (2, "2 pools"),
            (999, "999 pools"),
            (1_000, "1,000 pools"),
            (1_204_001, "1,204,001 pools"),
            (u64::MAX, "18,446,744,073,709,551,615 pools"),
        ] {
            assert_eq!(counted(count, "pool", "pools"), said);
        }
    }
}
