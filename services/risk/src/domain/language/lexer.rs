//! Text to tokens, with their places.

use super::{LanguageError, MAX_LENGTH};

/// Digits of a decimal, so that its float is read as it is printed.
const MAX_DIGITS: usize = 15;

/// A piece of an expression.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Token {
    Whole(i64),
    Decimal(f64),
    Text(String),
    Name(String),
    /// `(`, `<=`, `,` …
    Sign(&'static str),
    End,
}

/// A token and the place of its first character, from 1.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Placed {
    pub(super) token: Token,
    pub(super) at: usize,
}

/// Longer ones first.
const SIGNS: [&str; 15] = [
    "==", "!=", "<=", ">=", "<", ">", "+", "-", "*", "(", ")", "[", "]", ",", "=",
];

struct Lexer {
    characters: Vec<char>,
    place: usize,
}

pub(super) fn read(text: &str) -> Result<Vec<Placed>, LanguageError> {
    let characters: Vec<char> = text.chars().take(MAX_LENGTH + 1).collect();
    if characters.len() > MAX_LENGTH {
        let message = format!("an expression has at most {MAX_LENGTH} characters");
        return Err(LanguageError::new(MAX_LENGTH + 1, message));
    }
    let mut lexer = Lexer {
        characters,
        place: 0,
    };
    let mut tokens = Vec::new();
    loop {
        let placed = lexer.next()?;
        let is_end = placed.token == Token::End;
        tokens.push(placed);
        if is_end {
            return Ok(tokens);
        }
    }
}

// === impl Lexer ===

impl Lexer {
    fn peek(&self) -> Option<char> {
        self.characters.get(self.place).copied()
    }

    fn take_while(&mut self, wanted: impl Fn(char) -> bool) -> String {
        let mut taken = String::new();
        while let Some(character) = self.peek().filter(|c| wanted(*c)) {
            taken.push(character);
            self.place += 1;
        }
        taken
    }

    fn next(&mut self) -> Result<Placed, LanguageError> {
        self.take_while(char::is_whitespace);
        let at = self.place + 1;
        let token = match self.peek() {
            None => Token::End,
            Some('"') => self.text(at)?,
            Some(c) if c.is_ascii_digit() => self.number(at)?,
            Some(c) if c.is_ascii_alphabetic() || c == '_' => {
                Token::Name(self.take_while(|c| c.is_ascii_alphanumeric() || c == '_'))
            }
            Some(c) => self.sign(at, c)?,
        };
        Ok(Placed { token, at })
    }

    fn sign(&mut self, at: usize, first: char) -> Result<Token, LanguageError> {
        let rest: String = self.characters.iter().skip(self.place).take(2).collect();
        let sign = SIGNS.iter().find(|sign| rest.starts_with(*sign));
        match sign {
            Some(&"=") => Err(LanguageError::new(at, "equal is written `==`")),
            Some(sign) => {
                self.place += sign.len();
                Ok(Token::Sign(sign))
            }
            None => Err(LanguageError::new(
                at,
                format!("`{first}` does not belong in an expression"),
            )),
        }
    }

    fn number(&mut self, at: usize) -> Result<Token, LanguageError> {
        let whole = self.take_while(|c| c.is_ascii_digit());
        let is_decimal = self.peek() == Some('.');
        let fraction = if is_decimal {
            self.place += 1;
            self.take_while(|c| c.is_ascii_digit())
        } else {
            String::new()
        };
        if self
            .peek()
            .is_some_and(|c| c.is_ascii_alphabetic() || c == '_' || c == '.')
        {
            return Err(LanguageError::new(at, "a number is written as 12 or 0.5"));
        }
        if !is_decimal {
            let number = whole.parse().map(Token::Whole);
            return number.map_err(|_| LanguageError::new(at, "the number is too large"));
        }
        if fraction.is_empty() || whole.len() + fraction.len() > MAX_DIGITS {
            let message =
                format!("a decimal has digits after its point, and at most {MAX_DIGITS} in all");
            return Err(LanguageError::new(at, message));
        }
        let number = format!("{whole}.{fraction}").parse().map(Token::Decimal);
        number.map_err(|_| LanguageError::new(at, "a number is written as 12 or 0.5"))
    }

    fn text(&mut self, at: usize) -> Result<Token, LanguageError> {
        self.place += 1;
        let mut text = String::new();
        loop {
            let character = self.peek();
            self.place += 1;
            match character {
                Some('"') => return Ok(Token::Text(text)),
                Some('\\') => match self.peek() {
                    Some(escaped @ ('"' | '\\')) => {
                        text.push(escaped);
                        self.place += 1;
                    }
                    Some(_) | None => {
                        let message = "after `\\` only `\"` or `\\` is known";
                        return Err(LanguageError::new(self.place, message));
                    }
                },
                Some(character) => text.push(character),
                None => return Err(LanguageError::new(at, "the text has no closing `\"`")),
            }
        }
    }
}
