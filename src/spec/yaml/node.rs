//! Hands a tree to serde, so that mistakes arrive as data and a hole fits everywhere.

use serde::de::value::{MapAccessDeserializer, MapDeserializer, SeqDeserializer};
use serde::de::{Deserializer, Error, IntoDeserializer, Unexpected, Visitor};
use serde::forward_to_deserialize_any;

use super::problem::Problem;
use super::tree::Tree;

static HOLE: Tree = Tree::Hole;

/// A value of a tree, to be read as some type.
#[derive(Clone, Copy)]
pub(super) struct Node<'a>(pub(super) &'a Tree);

impl<'de> IntoDeserializer<'de, Problem> for Node<'de> {
    type Deserializer = Self;

    fn into_deserializer(self) -> Self {
        self
    }
}

/// Makes methods that hand a fitting value to the visitor of a hole.
macro_rules! fill_holes {
    ($($method:ident => |$visitor:ident| $value:expr;)*) => {
        $(fn $method<V: Visitor<'de>>(self, $visitor: V) -> Result<V::Value, Problem> {
            match self.0 {
                Tree::Hole => $value,
                _ => self.deserialize_any($visitor),
            }
        })*
    };
}

impl<'de> Deserializer<'de> for Node<'de> {
    type Error = Problem;

    fill_holes! {
        deserialize_bool => |visitor| visitor.visit_bool(false);
        deserialize_u8 => |visitor| visitor.visit_u64(0);
        deserialize_u16 => |visitor| visitor.visit_u64(0);
        deserialize_u32 => |visitor| visitor.visit_u64(0);
        deserialize_u64 => |visitor| visitor.visit_u64(0);
        deserialize_i8 => |visitor| visitor.visit_u64(0);
        deserialize_i16 => |visitor| visitor.visit_u64(0);
        deserialize_i32 => |visitor| visitor.visit_u64(0);
        deserialize_i64 => |visitor| visitor.visit_u64(0);
        deserialize_f32 => |visitor| visitor.visit_f64(0.0);
        deserialize_f64 => |visitor| visitor.visit_f64(0.0);
        deserialize_str => |visitor| visitor.visit_str("");
        deserialize_string => |visitor| visitor.visit_str("");
        deserialize_seq => |visitor| visitor.visit_seq(no_items());
        deserialize_map => |visitor| visitor.visit_map(holes(&[]));
    }

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Problem> {
        match self.0 {
            Tree::Hole | Tree::Null => visitor.visit_unit(),
            Tree::Boolean(value) => visitor.visit_bool(*value),
            Tree::Unsigned(value) => visitor.visit_u64(*value),
            Tree::Signed(value) => visitor.visit_i64(*value),
            Tree::Float(value) => visitor.visit_f64(*value),
            Tree::Text(text) => visitor.visit_borrowed_str(text),
            Tree::List(items) => visitor.visit_seq(SeqDeserializer::new(items.iter().map(Node))),
            Tree::Map(entries) => visitor.visit_map(children(entries)),
        }
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Problem> {
        match self.0 {
            Tree::Hole | Tree::Null => visitor.visit_none(),
            _ => visitor.visit_some(self),
        }
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Problem> {
        match self.0 {
            Tree::Hole => visitor.visit_map(holes(fields)),
            // A derived visitor would read a list as the fields in their order.
            Tree::List(_) => Err(Problem::invalid_type(Unexpected::Seq, &"a mapping")),
            _ => self.deserialize_any(visitor),
        }
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _name: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Problem> {
        match self.0 {
            Tree::Hole => {
                let first = variants.first().copied().unwrap_or_default();
                visitor.visit_enum(IntoDeserializer::<Problem>::into_deserializer(first))
            }
            Tree::Text(word) => {
                visitor.visit_enum(IntoDeserializer::<Problem>::into_deserializer(word.as_str()))
            }
            Tree::Map(entries) => visitor.visit_enum(MapAccessDeserializer::new(children(entries))),
            other => Err(Problem::invalid_type(other.unexpected(), &"a word")),
        }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        visitor: V,
    ) -> Result<V::Value, Problem> {
        visitor.visit_newtype_struct(self)
    }

    forward_to_deserialize_any! {
        i128 u128 char bytes byte_buf unit unit_struct tuple tuple_struct identifier ignored_any
    }
}

type Children<'a> = MapDeserializer<
    'a,
    std::iter::Map<
        std::slice::Iter<'a, (String, Tree)>,
        fn(&'a (String, Tree)) -> (&'a str, Node<'a>),
    >,
    Problem,
>;

fn children(entries: &[(String, Tree)]) -> Children<'_> {
    MapDeserializer::new(entries.iter().map(|(key, value)| (key.as_str(), Node(value))))
}

/// Returns a mapping with a hole under each key.
fn holes<'a>(
    keys: &'static [&'static str],
) -> MapDeserializer<'a, impl Iterator<Item = (&'a str, Node<'a>)>, Problem> {
    MapDeserializer::new(keys.iter().map(|key| (*key, Node(&HOLE))))
}

fn no_items<'a>() -> SeqDeserializer<std::iter::Empty<Node<'a>>, Problem> {
    SeqDeserializer::new(std::iter::empty())
}

impl Tree {
    fn unexpected(&self) -> Unexpected<'_> {
        match self {
            Self::Hole | Self::Null => Unexpected::Unit,
            Self::Boolean(value) => Unexpected::Bool(*value),
            Self::Unsigned(value) => Unexpected::Unsigned(*value),
            Self::Signed(value) => Unexpected::Signed(*value),
            Self::Float(value) => Unexpected::Float(*value),
            Self::Text(text) => Unexpected::Str(text),
            Self::List(_) => Unexpected::Seq,
            Self::Map(_) => Unexpected::Map,
        }
    }
}
