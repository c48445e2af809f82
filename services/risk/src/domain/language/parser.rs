//! Tokens to a tree. Names and types are checked on the way, so that an error knows its place.

use super::{
    super::{
        Feature,
        feature::{Measure, TextFeature},
    },
    LanguageError, MAX_DEPTH, MAX_MEMBERS,
    lexer::{self, Placed, Token},
    tree::{Compare, Condition, Membership, Ratio, Text, Whole},
};

/// What whole numbers count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Unit {
    /// A literal, which may stand for any.
    Any,
    Count,
    Minor,
}

/// A part of an expression with its type.
enum Typed {
    Condition(Condition),
    Whole(Whole, Unit),
    Ratio(Ratio),
    Text(Text),
}

struct Parser {
    tokens: Vec<Placed>,
    place: usize,
    depth: usize,
    features: Vec<Feature>,
}

type Parsed<T> = Result<T, LanguageError>;

pub(super) fn parse(text: &str) -> Parsed<(Condition, Vec<Feature>)> {
    let mut parser = Parser {
        tokens: lexer::read(text)?,
        place: 0,
        depth: 0,
        features: Vec::new(),
    };
    let at = parser.at();
    let whole = parser.condition()?;
    let condition = into_condition(whole, at)?;
    if *parser.peek() != Token::End {
        return Err(LanguageError::new(
            parser.at(),
            "`and`, `or` or the end is expected here",
        ));
    }
    Ok((condition, parser.features))
}

// === impl Parser ===

impl Parser {
    /// The last token is the end, and is never passed.
    fn peek(&self) -> &Token {
        let last = self.tokens.len() - 1;
        &self.tokens[self.place.min(last)].token
    }

    fn at(&self) -> usize {
        let last = self.tokens.len() - 1;
        self.tokens[self.place.min(last)].at
    }

    fn take_sign(&mut self, wanted: &str) -> bool {
        let is_there = matches!(self.peek(), Token::Sign(sign) if *sign == wanted);
        self.place += usize::from(is_there);
        is_there
    }

    fn take_word(&mut self, wanted: &str) -> bool {
        let is_there = matches!(self.peek(), Token::Name(name) if name == wanted);
        self.place += usize::from(is_there);
        is_there
    }

    fn expect(&mut self, wanted: &str) -> Parsed<()> {
        if self.take_sign(wanted) {
            return Ok(());
        }
        Err(LanguageError::new(
            self.at(),
            format!("`{wanted}` is expected here"),
        ))
    }

    /// Goes one level deeper for `inner`.
    fn deeper<T>(&mut self, inner: impl FnOnce(&mut Self) -> Parsed<T>) -> Parsed<T> {
        if self.depth >= MAX_DEPTH {
            let message = format!("at most {MAX_DEPTH} levels go into each other");
            return Err(LanguageError::new(self.at(), message));
        }
        self.depth += 1;
        let parsed = inner(self);
        self.depth -= 1;
        parsed
    }

    fn condition(&mut self) -> Parsed<Typed> {
        self.chain("or", Self::and, Condition::Or)
    }

    fn and(&mut self) -> Parsed<Typed> {
        self.chain("and", Self::not, Condition::And)
    }

    fn chain(
        &mut self,
        word: &str,
        next: fn(&mut Self) -> Parsed<Typed>,
        join: fn(Box<Condition>, Box<Condition>) -> Condition,
    ) -> Parsed<Typed> {
        let at = self.at();
        let mut left = next(self)?;
        while self.take_word(word) {
            let right_at = self.at();
            let right = next(self)?;
            let joined = join(
                Box::new(into_condition(left, at)?),
                Box::new(into_condition(right, right_at)?),
            );
            left = Typed::Condition(joined);
        }
        Ok(left)
    }

    fn not(&mut self) -> Parsed<Typed> {
        if !self.take_word("not") {
            return self.comparison();
        }
        let at = self.at();
        let inner = self.deeper(Self::not)?;
        let inner = into_condition(inner, at)?;
        Ok(Typed::Condition(Condition::Not(Box::new(inner))))
    }

    fn comparison(&mut self) -> Parsed<Typed> {
        let left = self.sum()?;
        let at = self.at();
        if let Token::Sign(sign) = *self.peek()
            && let Some(compare) = Compare::of(sign)
        {
            self.place += 1;
            let right = self.sum()?;
            return compared(left, right, (compare, at)).map(Typed::Condition);
        }
        if self.take_word("in") {
            return self.members(left, Membership::In, at);
        }
        if self.take_word("not") {
            if !self.take_word("in") {
                return Err(LanguageError::new(self.at(), "`in` is expected here"));
            }
            return self.members(left, Membership::NotIn, at);
        }
        Ok(left)
    }

    fn members(&mut self, needle: Typed, membership: Membership, at: usize) -> Parsed<Typed> {
        self.expect("[")?;
        let (mut numbers, mut texts) = (Vec::new(), Vec::new());
        loop {
            let place = self.at();
            let is_negative = self.take_sign("-");
            match self.peek().clone() {
                Token::Whole(number) => numbers.push(if is_negative { -number } else { number }),
                Token::Text(text) if !is_negative => texts.push(text),
                Token::Text(_)
                | Token::Decimal(_)
                | Token::Name(_)
                | Token::Sign(_)
                | Token::End => {
                    return Err(LanguageError::new(
                        place,
                        "a whole number or a text is expected here",
                    ));
                }
            }
            self.place += 1;
            if numbers.len() + texts.len() > MAX_MEMBERS {
                let message = format!("a list has at most {MAX_MEMBERS} members");
                return Err(LanguageError::new(place, message));
            }
            if !self.take_sign(",") {
                break;
            }
        }
        self.expect("]")?;
        let condition = match needle {
            Typed::Whole(needle, _) if texts.is_empty() => {
                Condition::WholeIn(membership, needle, numbers)
            }
            Typed::Text(needle) if numbers.is_empty() => {
                Condition::TextIn(membership, needle, texts)
            }
            Typed::Whole(..) | Typed::Text(_) | Typed::Condition(_) | Typed::Ratio(_) => {
                let message =
                    "before `in` stands a text or a whole number, and the list has the same";
                return Err(LanguageError::new(at, message));
            }
        };
        Ok(Typed::Condition(condition))
    }

    fn sum(&mut self) -> Parsed<Typed> {
        let mut left = self.product()?;
        loop {
            let at = self.at();
            let operation = if self.take_sign("+") {
                Operation::Sum
            } else if self.take_sign("-") {
                Operation::Difference
            } else {
                return Ok(left);
            };
            let right = self.product()?;
            left = combined(left, right, (operation, at))?;
        }
    }

    fn product(&mut self) -> Parsed<Typed> {
        let mut left = self.unary()?;
        loop {
            let at = self.at();
            if !self.take_sign("*") {
                return Ok(left);
            }
            let right = self.unary()?;
            left = combined(left, right, (Operation::Product, at))?;
        }
    }

    fn unary(&mut self) -> Parsed<Typed> {
        let at = self.at();
        if !self.take_sign("-") {
            return self.atom();
        }
        match self.deeper(Self::unary)? {
            Typed::Whole(Whole::Literal(number), unit) => {
                Ok(Typed::Whole(Whole::Literal(-number), unit))
            }
            Typed::Whole(inner, unit) => Ok(Typed::Whole(Whole::Negative(Box::new(inner)), unit)),
            Typed::Ratio(Ratio::Literal(number)) => Ok(Typed::Ratio(Ratio::Literal(-number))),
            Typed::Ratio(inner) => Ok(Typed::Ratio(Ratio::Negative(Box::new(inner)))),
            Typed::Condition(_) | Typed::Text(_) => {
                Err(LanguageError::new(at, "`-` stands before numbers only"))
            }
        }
    }

    fn atom(&mut self) -> Parsed<Typed> {
        let at = self.at();
        if self.take_sign("(") {
            let inner = self.deeper(Self::condition)?;
            self.expect(")")?;
            return Ok(inner);
        }
        let token = self.peek().clone();
        self.place += 1;
        match token {
            Token::Whole(number) => Ok(Typed::Whole(Whole::Literal(number), Unit::Any)),
            Token::Decimal(number) => Ok(Typed::Ratio(Ratio::Literal(number))),
            Token::Text(text) => Ok(Typed::Text(Text::Literal(text))),
            Token::Name(name) => self.name(&name, at),
            Token::Sign(_) | Token::End => Err(LanguageError::new(
                at,
                "a feature, a number, a text or `(` is expected here",
            )),
        }
    }

    fn name(&mut self, name: &str, at: usize) -> Parsed<Typed> {
        if let Ok(value) = name.parse::<bool>() {
            return Ok(Typed::Condition(Condition::Constant(value)));
        }
        if let Some(text) = TextFeature::ALL
            .into_iter()
            .find(|text| text.as_str() == name)
        {
            return Ok(Typed::Text(Text::Feature(text)));
        }
        let feature = Feature::named(name)
            .ok_or_else(|| LanguageError::new(at, format!("there is no feature `{name}`")))?;
        if !self.features.contains(&feature) {
            self.features.push(feature);
        }
        Ok(match feature.measure() {
            Measure::Count => Typed::Whole(Whole::Feature(feature), Unit::Count),
            Measure::Minor => Typed::Whole(Whole::Feature(feature), Unit::Minor),
            Measure::Ratio => Typed::Ratio(Ratio::Feature(feature)),
            Measure::Flag => Typed::Condition(Condition::Flag(feature)),
        })
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Operation {
    Sum,
    Difference,
    Product,
}

fn into_condition(typed: Typed, at: usize) -> Parsed<Condition> {
    match typed {
        Typed::Condition(condition) => Ok(condition),
        Typed::Whole(..) | Typed::Ratio(_) | Typed::Text(_) => {
            let message = "a condition is expected here, such as `amount > 10000`";
            Err(LanguageError::new(at, message))
        }
    }
}

/// Two numbers as ratios, when they are a ratio and a ratio or a literal.
fn ratios(left: Typed, right: Typed) -> Option<(Ratio, Ratio)> {
    let one = |typed| match typed {
        Typed::Ratio(ratio) => Some(ratio),
        Typed::Whole(whole, Unit::Any) => whole.as_ratio(),
        Typed::Whole(_, Unit::Count | Unit::Minor) | Typed::Condition(_) | Typed::Text(_) => None,
    };
    Some((one(left)?, one(right)?))
}

fn same_unit(left: Unit, right: Unit) -> Option<Unit> {
    match (left, right) {
        (Unit::Any, unit) | (unit, Unit::Any) => Some(unit),
        (left, right) => (left == right).then_some(left),
    }
}

fn combined(left: Typed, right: Typed, (operation, at): (Operation, usize)) -> Parsed<Typed> {
    let (left, right) = match (left, right) {
        (Typed::Whole(left, left_unit), Typed::Whole(right, right_unit)) => {
            let unit = match operation {
                Operation::Sum | Operation::Difference => same_unit(left_unit, right_unit),
                Operation::Product if left_unit == Unit::Minor && right_unit == Unit::Minor => None,
                Operation::Product if left_unit == Unit::Minor || right_unit == Unit::Minor => Some(Unit::Minor),
                Operation::Product => same_unit(left_unit, right_unit),
            };
            let unit = unit.ok_or_else(|| LanguageError::new(at, "amounts and counts do not go together like this"))?;
            let (left, right) = (Box::new(left), Box::new(right));
            let whole = match operation {
                Operation::Sum => Whole::Sum(left, right),
                Operation::Difference => Whole::Difference(left, right),
                Operation::Product => Whole::Product(left, right),
            };
            return Ok(Typed::Whole(whole, unit));
        }
        (left, right) => ratios(left, right).ok_or_else(|| {
            LanguageError::new(at, "numbers of one kind are expected on both sides; money is never multiplied by a ratio")
        })?,
    };
    let (left, right) = (Box::new(left), Box::new(right));
    Ok(Typed::Ratio(match operation {
        Operation::Sum => Ratio::Sum(left, right),
        Operation::Difference => Ratio::Difference(left, right),
        Operation::Product => Ratio::Product(left, right),
    }))
}

fn compared(left: Typed, right: Typed, (compare, at): (Compare, usize)) -> Parsed<Condition> {
    match (left, right) {
        (Typed::Whole(left, left_unit), Typed::Whole(right, right_unit)) => {
            if same_unit(left_unit, right_unit).is_none() {
                return Err(LanguageError::new(
                    at,
                    "an amount cannot be compared with a count",
                ));
            }
            Ok(Condition::Whole(compare, left, right))
        }
        (Typed::Text(left), Typed::Text(right)) => compare
            .equality()
            .map(|equality| Condition::Text(equality, left, right))
            .ok_or_else(|| LanguageError::new(at, "texts are compared by `==`, `!=` or `in`")),
        (Typed::Condition(_), _) | (_, Typed::Condition(_)) => Err(LanguageError::new(
            at,
            "yes and no are not compared: write `x` or `not x`",
        )),
        (left, right) => {
            let (left, right) = ratios(left, right)
                .ok_or_else(|| LanguageError::new(at, "the two sides are of different kinds"))?;
            if compare.equality().is_some() {
                return Err(LanguageError::new(
                    at,
                    "ratios are compared by `<`, `<=`, `>` or `>=`",
                ));
            }
            Ok(Condition::Ratio(compare, left, right))
        }
    }
}
