//! Just enough of Rust's syntax to tell code from comments and strings, and one word from another.

/// The source without comments and without what is in strings; blanks take their place, so that
/// lines and columns stay.
pub(crate) fn code_of(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut code = bytes.to_vec();
    let mut at = 0;
    while at < bytes.len() {
        let (end, kind) = token(bytes, at);
        if kind != Token::Code {
            code[at..end]
                .iter_mut()
                .filter(|byte| **byte != b'\n')
                .for_each(|byte| *byte = b' ');
        }
        at = end;
    }
    String::from_utf8_lossy(&code).into_owned()
}

/// Every word of the code with its line, counted from 1.
pub(crate) fn words(code: &str) -> impl Iterator<Item = (usize, &str)> {
    code.lines().enumerate().flat_map(|(index, line)| {
        let words = line.split(|c: char| !(c.is_alphanumeric() || c == '_'));
        words
            .filter(|word| !word.is_empty())
            .map(move |word| (index + 1, word))
    })
}

/// Every string literal with its line, counted from 1.
pub(crate) fn strings(text: &str) -> Vec<(usize, &str)> {
    let bytes = text.as_bytes();
    let mut found = Vec::new();
    let (mut at, mut line) = (0, 1);
    while at < bytes.len() {
        let (end, kind) = token(bytes, at);
        if kind == Token::Text {
            let literal = text[at..end]
                .trim_start_matches(['b', 'c', 'r'])
                .trim_matches('#');
            if let Some(inner) = literal
                .strip_prefix('"')
                .and_then(|rest| rest.strip_suffix('"'))
            {
                found.push((line, inner));
            }
        }
        line += bytes[at..end].iter().filter(|byte| **byte == b'\n').count();
        at = end;
    }
    found
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Token {
    Code,
    Comment,
    Text,
}

/// The token that begins here, and where it ends.
fn token(bytes: &[u8], at: usize) -> (usize, Token) {
    let rest = &bytes[at..];
    match rest {
        [b'/', b'/', ..] => (at + length_until(rest, b'\n'), Token::Comment),
        [b'/', b'*', ..] => (at + block_comment(rest), Token::Comment),
        [b'"', ..] => (at + quoted(rest, b'"'), Token::Text),
        [b'\'', ..] => match character(rest) {
            Some(length) => (at + length, Token::Text),
            None => (at + 1, Token::Code),
        },
        [first, ..] if is_word(*first) => {
            let length = rest.iter().take_while(|byte| is_word(**byte)).count();
            let literal = match &rest[..length] {
                b"r" | b"br" | b"cr" => raw(&rest[length..]),
                b"b" | b"c" if rest.get(length) == Some(&b'"') => {
                    Some(quoted(&rest[length..], b'"'))
                }
                _ => None,
            };
            match literal {
                Some(more) => (at + length + more, Token::Text),
                None => (at + length, Token::Code),
            }
        }
        _ => (at + 1, Token::Code),
    }
}

fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_' || byte >= 0x80
}

fn length_until(rest: &[u8], end: u8) -> usize {
    rest.iter()
        .position(|byte| *byte == end)
        .unwrap_or(rest.len())
}

/// Block comments nest.
fn block_comment(rest: &[u8]) -> usize {
    let (mut at, mut depth) = (0, 0);
    while at < rest.len() {
        match &rest[at..] {
            [b'/', b'*', ..] => (at, depth) = (at + 2, depth + 1),
            [b'*', b'/', ..] => (at, depth) = (at + 2, depth - 1),
            _ => at += 1,
        }
        if depth == 0 {
            return at;
        }
    }
    at
}

fn quoted(rest: &[u8], quote: u8) -> usize {
    let mut at = 1;
    while at < rest.len() {
        match rest[at] {
            b'\\' => at += 2,
            byte if byte == quote => return at + 1,
            _ => at += 1,
        }
    }
    rest.len()
}

/// `'a'` and `'\n'` are characters, `'a` alone is a lifetime.
fn character(rest: &[u8]) -> Option<usize> {
    if rest.get(1) == Some(&b'\\') {
        return Some(quoted(rest, b'\''));
    }
    let text = String::from_utf8_lossy(&rest[1..rest.len().min(8)]).into_owned();
    let mut chars = text.char_indices();
    let (_, first) = chars.next()?;
    let (width, second) = chars.next()?;
    (first != '\'' && second == '\'').then_some(width + 2)
}

/// What follows the `r` of a raw string; none when it is a raw identifier or just a name.
fn raw(rest: &[u8]) -> Option<usize> {
    let hashes = rest.iter().take_while(|byte| **byte == b'#').count();
    if rest.get(hashes) != Some(&b'"') {
        return None;
    }
    let mut end = vec![b'"'];
    end.resize(hashes + 1, b'#');
    let inner = &rest[hashes + 1..];
    let length = inner.windows(end.len()).position(|window| window == end);
    Some(length.map_or(rest.len(), |length| hashes + 1 + length + end.len()))
}

#[test]
fn comments_and_strings_are_no_code() {
    let text = concat!(
        "let a = \"tonic // not a comment\"; // tonic\n",
        "/* lapin /* kube */ */ let b = r#\"sea_orm \" \"#;"
    );
    let code = code_of(text);
    assert_eq!(
        words(&code).collect::<Vec<_>>(),
        [(1, "let"), (1, "a"), (2, "let"), (2, "b")]
    );
    assert_eq!(code.lines().count(), 2);
}

#[test]
fn characters_and_lifetimes_are_told_apart() {
    let code = code_of("fn f<'a>(x: &'a str) { g('\"', '\\'', 'ä'); tonic::x }");
    assert!(words(&code).any(|(_, word)| word == "tonic"), "{code}");
    assert!(words(&code).any(|(_, word)| word == "str"), "{code}");
    assert!(!code.contains('ä') && !code.contains('"'), "{code}");
}

#[test]
fn string_literals_are_found_with_their_lines() {
    let text = "// \"no\"\nf(\"one\",\n  b\"two\", r##\"th\"#ree\"##, r#type)";
    assert_eq!(strings(text), [(2, "one"), (3, "two"), (3, "th\"#ree")]);
}
