//! A second model of IAM, to hold the evaluator against. It is written straight from IAM's pages and shares
//! nothing with the evaluator: it reads the JSON anew for every request, and everything in it is slow and
//! obvious. A fuzz target includes this file, so it needs no more than serde_json.
//!
//! Where something cannot be known, an answer is *all* that it could be: `{no, yes}`. An Allow counts if it
//! can only be yes, a Deny if it can be yes at all.
//!
//! Sources: IAM User Guide, "Policy evaluation logic", "IAM JSON policy elements: Condition operators", "Set
//! operators for multi-valued context keys", "IAM policy elements: Variables and tags"; and
//! docs/decisions/0003-iam-evaluator.md for what is stricter here than there.

use std::collections::BTreeSet;
use std::net::IpAddr;

use serde_json::Value;

/// What policies say about a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Says {
    Allow,
    Nothing,
    Deny,
}

/// What somebody asks to do.
#[derive(Debug, Clone, Copy)]
pub(super) struct Asked<'a> {
    pub(super) action: &'a str,
    pub(super) resource: &'a str,
    /// Condition keys with their values. A key with several values stands there several times.
    pub(super) context: &'a [(String, String)],
}

/// All that an answer could be.
type Could = BTreeSet<bool>;

/// An explicit Deny anywhere wins. Else the role has to allow it, and if there are session policies, they too.
pub(super) fn decide(role: &[Value], session: Option<&[Value]>, asked: &Asked<'_>) -> Says {
    let sides: Vec<&[Value]> = [Some(role), session].into_iter().flatten().collect();
    if sides.iter().any(|documents| denies(documents, asked)) {
        Says::Deny
    } else if sides.iter().all(|documents| allows(documents, asked)) {
        Says::Allow
    } else {
        Says::Nothing
    }
}

/// Whether a trust policy gives its role to the bearer of a token of Cognito's. With tags, both actions have to
/// be allowed and neither denied.
pub(super) fn trusts(document: &Value, with_tags: bool, context: &[(String, String)]) -> Says {
    let mut actions = vec!["sts:AssumeRoleWithWebIdentity"];
    if with_tags {
        actions.push("sts:TagSession");
    }
    let documents = std::slice::from_ref(document);
    let asked = |action| Asked { action, resource: THE_ROLE, context };
    if actions.iter().any(|action| denies(documents, &asked(action))) {
        Says::Deny
    } else if actions.iter().all(|action| allows(documents, &asked(action))) {
        Says::Allow
    } else {
        Says::Nothing
    }
}

fn allows(documents: &[Value], asked: &Asked<'_>) -> bool {
    statements(documents, "Allow").iter().any(|statement| applies(statement, asked) == sure(true))
}

fn denies(documents: &[Value], asked: &Asked<'_>) -> bool {
    statements(documents, "Deny").iter().any(|statement| applies(statement, asked) != sure(false))
}

fn statements<'a>(documents: &'a [Value], effect: &str) -> Vec<&'a Value> {
    let all = documents.iter().flat_map(|document| one_or_many(&document["Statement"]));
    all.filter(|statement| statement["Effect"] == effect && is_asked(statement)).collect()
}

/// Whether a statement is about services that Daypass answers for, and about whoever comes there. Others are never asked.
fn is_asked(statement: &Value) -> bool {
    let of_us = match &statement["Principal"] {
        Value::Null => true,
        Value::Object(kinds) => kinds.iter().any(|(kind, names)| {
            let ours = |name: &String| {
                name == "*" || kind == "Federated" && name == "cognito-identity.amazonaws.com"
            };
            texts(names).iter().any(ours)
        }),
        everybody => everybody == "*",
    };
    of_us && statement.get("Action").is_none_or(|names| texts(names).iter().any(|name| is_answered(name)))
}

/// Whether an action, or some that a pattern names, is of a service that Daypass answers for.
pub(super) fn is_answered(action: &str) -> bool {
    let service = action.split(':').next().unwrap_or_default().to_lowercase();
    ["*", "cognito-identity", "iam", "s3", "sts"].contains(&service.as_str())
}

fn applies(statement: &Value, asked: &Asked<'_>) -> Could {
    let mut parts = Vec::new();
    if let Some(names) = statement.get("Action") {
        parts.push(covers_action(names, asked));
    }
    if let Some(names) = statement.get("NotAction") {
        parts.push(not(&covers_action(names, asked)));
    }
    if let Some(names) = statement.get("Resource") {
        parts.push(covers_resource(names, asked));
    }
    if let Some(names) = statement.get("NotResource") {
        parts.push(not(&covers_resource(names, asked)));
    }
    for (operator, keys) in statement.get("Condition").and_then(Value::as_object).into_iter().flatten() {
        for (key, operands) in keys.as_object().into_iter().flatten() {
            parts.push(holds(operator, key, &texts(operands), asked));
        }
    }
    every(&parts)
}

fn covers_action(names: &Value, asked: &Asked<'_>) -> Could {
    let plain = |text: &str| text.to_lowercase().chars().collect::<Vec<_>>();
    let covered = texts(names).iter().any(|name| {
        let pattern: Vec<Token> = plain(name).into_iter().map(wildcard).collect();
        describes(&pattern, &plain(asked.action))
    });
    sure(covered)
}

/// `*` is whatever there is. Where an operation has no resource, nothing else covers it.
fn covers_resource(names: &Value, asked: &Asked<'_>) -> Could {
    let answers: Vec<Could> = texts(names)
        .iter()
        .map(|name| match (name.as_str(), asked.resource) {
            ("*", _) => sure(true),
            (_, "*") => sure(false),
            (name, resource) => arn_is_like(name, resource, asked),
        })
        .collect();
    any(&answers)
}

/// One line of a condition.
fn holds(operator: &str, key: &str, operands: &[String], asked: &Asked<'_>) -> Could {
    let values = values_of(key, asked.context);
    if is_never_known(key, asked) {
        return unsure();
    }
    if operator == "Null" {
        let wants_absence = operands[0].eq_ignore_ascii_case("true");
        return sure(values.is_empty() == wants_absence);
    }
    let (set, operator) = operator.split_once(':').unwrap_or(("", operator));
    let if_exists = operator.ends_with("IfExists");
    let operator = operator.trim_end_matches("IfExists");
    let negated = operator.contains("Not");
    let operator = operator.replace("Not", "");
    let passes = |value: &&str| {
        let matched: Vec<Could> =
            operands.iter().map(|operand| compare(&operator, operand, value, asked)).collect();
        if negated { not(&any(&matched)) } else { any(&matched) }
    };
    let passed: Vec<Could> = values.iter().map(passes).collect();
    match (set, values.len()) {
        ("ForAnyValue", _) => any(&passed),
        ("ForAllValues", _) => every(&passed),
        (_, 0) => sure(negated || if_exists),
        (_, 1) => passed[0].clone(),
        (_, _) => unsure(),
    }
}

/// A key of IAM's that no gate of Daypass has a value for: the request may have one at AWS, so nothing is certain.
fn is_never_known(key: &str, asked: &Asked<'_>) -> bool {
    let (key, of_trust) = (key.to_lowercase(), asked.resource == THE_ROLE);
    let of_both = ["sub", "aud", "amr"].map(|claim| format!("cognito-identity.amazonaws.com:{claim}"));
    let arrival = ["federatedprovider", "currenttime", "epochtime", "securetransport", "sourceip"];
    let session = ["principalarn", "principaltype", "userid"];
    let request =
        ["cognito-identity:identitypoolarn", "s3:prefix", "s3:delimiter", "s3:max-keys"].map(str::to_owned);
    let global = |names: &[&str]| names.iter().map(|name| format!("aws:{name}")).collect::<Vec<_>>();
    let own = if of_trust {
        vec!["sts:rolesessionname".to_owned()]
    } else {
        [global(&session), request.to_vec()].concat()
    };
    let tags = if of_trust { "aws:requesttag/" } else { "aws:principaltag/" };
    ![of_both.to_vec(), global(&arrival), own].concat().contains(&key) && !key.starts_with(tags)
}

/// What a trust policy is asked about.
const THE_ROLE: &str = "the role itself";

/// Whether a value of the request is as the operand says.
fn compare(operator: &str, operand: &str, value: &str, asked: &Asked<'_>) -> Could {
    let order = match operator {
        "StringEquals" => return text_is_like(&literal_text(operand, asked), value),
        "StringLike" => return text_is_like(&pattern_text(operand, asked), value),
        "StringEqualsIgnoreCase" => {
            let lower = |token| match token {
                Token::This(c) => Token::This(c.to_lowercase().next().unwrap_or(c)),
                other => other,
            };
            let pattern: Vec<Token> = literal_text(operand, asked).into_iter().map(lower).collect();
            return text_is_like(&pattern, &value.to_lowercase());
        }
        "ArnEquals" | "ArnLike" if operand == "*" && arn_parts(value).is_some() => return sure(true),
        "ArnEquals" | "ArnLike" if operand == "*" => return unsure(),
        "ArnEquals" | "ArnLike" => return arn_is_like(operand, value, asked),
        "Bool" => {
            let [operand, value] = [operand, value].map(str::to_ascii_lowercase);
            let readable = value == "true" || value == "false";
            return if readable { sure(operand == value) } else { unsure() };
        }
        "IpAddress" => return address_is_in(operand, value),
        _ if operator.starts_with("Numeric") => number(value).zip(number(operand)).map(|(a, b)| a.cmp(&b)),
        _ if operator.starts_with("Date") => instant(value).zip(instant(operand)).map(|(a, b)| a.cmp(&b)),
        _ => panic!("{operator} is no operator of IAM's"),
    };
    let Some(order) = order else { return unsure() };
    let relation = operator.trim_start_matches("Numeric").trim_start_matches("Date");
    sure(match relation {
        "Equals" => order.is_eq(),
        "LessThan" => order.is_lt(),
        "LessThanEquals" => order.is_le(),
        "GreaterThan" => order.is_gt(),
        "GreaterThanEquals" => order.is_ge(),
        _ => panic!("{operator} is no operator of IAM's"),
    })
}

/// A character of a pattern.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Token {
    This(char),
    AnyOne,
    AnyRun,
    /// A variable whose value is not known: it could be any text.
    Gap,
}

fn wildcard(c: char) -> Token {
    match c {
        '*' => Token::AnyRun,
        '?' => Token::AnyOne,
        c => Token::This(c),
    }
}

fn pattern_text(text: &str, asked: &Asked<'_>) -> Vec<Token> {
    substitute(text, wildcard, asked)
}

fn literal_text(text: &str, asked: &Asked<'_>) -> Vec<Token> {
    substitute(text, Token::This, asked)
}

/// Puts values in the place of variables, each of them as the text that it is.
fn substitute(text: &str, plain: fn(char) -> Token, asked: &Asked<'_>) -> Vec<Token> {
    let Some(first) = text.chars().next() else { return Vec::new() };
    let Some((inside, rest)) = text.strip_prefix("${").and_then(|text| text.split_once('}')) else {
        let mut tokens = vec![plain(first)];
        tokens.extend(substitute(&text[first.len_utf8()..], plain, asked));
        return tokens;
    };
    let mut tokens = match inside {
        "*" | "?" | "$" => inside.chars().map(Token::This).collect(),
        variable => match value_of_variable(variable, asked) {
            Some(value) => value.chars().map(Token::This).collect(),
            None => vec![Token::Gap],
        },
    };
    tokens.extend(substitute(rest, plain, asked));
    tokens
}

/// An empty value is as good as none. Of several values, nobody knows which one is meant.
fn value_of_variable(variable: &str, asked: &Asked<'_>) -> Option<String> {
    let (name, default) = match variable.split_once(',') {
        Some((name, default)) => (name, Some(default.trim().trim_matches('\'').to_owned())),
        None => (variable, None),
    };
    if is_never_known(name, asked) {
        return None;
    }
    match values_of(name, asked.context).as_slice() {
        [] | [""] => default,
        [value] => Some((*value).to_owned()),
        _ => None,
    }
}

fn values_of<'a>(key: &str, context: &'a [(String, String)]) -> Vec<&'a str> {
    let same = |name: &str| name.to_lowercase() == key.to_lowercase();
    context.iter().filter(|(name, _)| same(name)).map(|(_, value)| value.as_str()).collect()
}

fn text_is_like(pattern: &[Token], text: &str) -> Could {
    let text: Vec<char> = text.chars().collect();
    if !describes(pattern, &text) {
        sure(false)
    } else if pattern.contains(&Token::Gap) {
        unsure()
    } else {
        sure(true)
    }
}

fn describes(pattern: &[Token], text: &[char]) -> bool {
    ends_of(pattern, &BTreeSet::from([0]), text).contains(&text.len())
}

/// Where in the text the pattern can have ended, if it can have begun at these places.
fn ends_of(pattern: &[Token], starts: &BTreeSet<usize>, text: &[char]) -> BTreeSet<usize> {
    let Some((token, rest)) = pattern.split_first() else { return starts.clone() };
    let after = |start: &usize| match token {
        Token::This(c) if text.get(*start) == Some(c) => vec![start + 1],
        Token::AnyOne if *start < text.len() => vec![start + 1],
        Token::This(_) | Token::AnyOne => vec![],
        Token::AnyRun | Token::Gap => (*start..=text.len()).collect(),
    };
    ends_of(rest, &starts.iter().flat_map(after).collect(), text)
}

/// Part by part; the sixth is all that remains.
fn arn_is_like(pattern: &str, arn: &str, asked: &Asked<'_>) -> Could {
    let (Some(patterns), Some(parts)) = (arn_parts(pattern), arn_parts(arn)) else { return unsure() };
    let pairs = patterns.into_iter().zip(parts);
    let answers: Vec<Could> =
        pairs.map(|(pattern, part)| text_is_like(&pattern_text(pattern, asked), part)).collect();
    every(&answers)
}

fn arn_parts(text: &str) -> Option<Vec<&str>> {
    let parts: Vec<&str> = text.splitn(6, ':').collect();
    (parts.len() == 6 && parts[0] == "arn").then_some(parts)
}

/// Whole units and the rest in units of 10⁻¹⁸, both with the sign.
fn number(text: &str) -> Option<(i128, i128)> {
    let digits = text.strip_prefix('-').unwrap_or(text);
    let sign = if digits == text { 1 } else { -1 };
    let (whole, rest) = digits.split_once('.').unwrap_or((digits, "0"));
    let plain = |text: &str| !text.is_empty() && text.chars().all(|c| c.is_ascii_digit());
    if !plain(whole) || !plain(rest) || whole.len() > 19 || rest.len() > 18 {
        return None;
    }
    Some((sign * whole.parse::<i128>().ok()?, sign * format!("{rest:0<18}").parse::<i128>().ok()?))
}

/// Seconds since 1970 and nanoseconds, of the ways to write an instant that the tests use.
pub(super) fn instant(text: &str) -> Option<(i64, u32)> {
    if !text.is_empty() && text.len() != 4 && text.len() <= 12 && text.chars().all(|c| c.is_ascii_digit()) {
        return Some((text.parse().ok()?, 0));
    }
    let (date, time) = text.split_once('T').unwrap_or((text, "00:00:00Z"));
    let (time, east) = match time.strip_suffix('Z') {
        Some(time) => (time, 0),
        None => offset(time)?,
    };
    let (time, fraction) = time.split_once('.').unwrap_or((time, "0"));
    let nanoseconds = format!("{fraction:0<9}").parse().ok()?;
    let [year, month, day] = fields(date, '-', [4, 2, 2])?;
    let [hour, minute, second] = fields(time, ':', [2, 2, 2])?;
    let in_range = (1970..=2200).contains(&year) && (1..=12).contains(&month) && hour < 24 && minute < 60;
    if !in_range || second > 59 || day < 1 || day > days_of_month(year, month) {
        return None;
    }
    let mut days = day - 1;
    days +=
        (1970..year).map(|year| (1..=12).map(|month| days_of_month(year, month)).sum::<i64>()).sum::<i64>();
    days += (1..month).map(|month| days_of_month(year, month)).sum::<i64>();
    Some((days * 86_400 + hour * 3_600 + minute * 60 + second - east, nanoseconds))
}

/// `08:30:00+01:00`: the time, and how many seconds it is ahead.
fn offset(time: &str) -> Option<(&str, i64)> {
    let at = time.find(['+', '-'])?;
    let sign = if time[at..].starts_with('+') { 1 } else { -1 };
    let [hours, minutes] = fields(&time[at + 1..], ':', [2, 2])?;
    Some((&time[..at], sign * (hours * 3_600 + minutes * 60)))
}

fn fields<const N: usize>(text: &str, separator: char, widths: [usize; N]) -> Option<[i64; N]> {
    let parts: Vec<&str> = text.split(separator).collect();
    let well_formed = parts.len() == N
        && parts
            .iter()
            .zip(widths)
            .all(|(part, width)| part.len() == width && part.chars().all(|c| c.is_ascii_digit()));
    let numbers: Vec<i64> = parts.iter().filter_map(|part| part.parse().ok()).collect();
    if well_formed { numbers.try_into().ok() } else { None }
}

fn days_of_month(year: i64, month: i64) -> i64 {
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    match month {
        2 if leap => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// Whether the bits of the address begin as those of the network do.
fn address_is_in(network: &str, address: &str) -> Could {
    let Ok(address) = address.parse::<IpAddr>() else { return unsure() };
    let (network, prefix) = network.split_once('/').unwrap_or((network, "128"));
    let (network, address) = (bits(network.parse().expect("the policy names a network")), bits(address));
    let prefix = prefix.parse::<usize>().expect("the policy names a network").min(network.len());
    sure(network.len() == address.len() && address.starts_with(&network[..prefix]))
}

/// An IPv4 address is one in IPv6 clothes too.
fn bits(address: IpAddr) -> String {
    match address.to_canonical() {
        IpAddr::V4(address) => format!("{:032b}", u32::from(address)),
        IpAddr::V6(address) => format!("{:0128b}", u128::from(address)),
    }
}

fn sure(answer: bool) -> Could {
    BTreeSet::from([answer])
}

fn unsure() -> Could {
    BTreeSet::from([false, true])
}

fn not(answer: &Could) -> Could {
    answer.iter().map(|answer| !answer).collect()
}

fn every(answers: &[Could]) -> Could {
    answers.iter().fold(sure(true), |all, next| {
        all.iter().flat_map(|one| next.iter().map(move |other| *one && *other)).collect()
    })
}

fn any(answers: &[Could]) -> Could {
    answers.iter().fold(sure(false), |all, next| {
        all.iter().flat_map(|one| next.iter().map(move |other| *one || *other)).collect()
    })
}

fn one_or_many(value: &Value) -> Vec<&Value> {
    match value {
        Value::Array(values) => values.iter().collect(),
        value => vec![value],
    }
}

/// IAM takes `true` for `"true"` and `5` for `"5"`.
fn texts(value: &Value) -> Vec<String> {
    let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    one_or_many(value).into_iter().map(text).collect()
}
