//! A YAML document without types.

use std::collections::HashSet;
use std::fmt;

use serde::de::{Deserialize, Deserializer, Error, MapAccess, SeqAccess, Visitor};

/// A YAML document without types; repeated keys are kept, so that they can be reported.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Tree {
    /// Stands in for a mistake that has been reported: it fits wherever it stands.
    Hole,
    Null,
    Boolean(bool),
    Unsigned(u64),
    Signed(i64),
    Float(f64),
    Text(String),
    List(Vec<Self>),
    Map(Vec<(String, Self)>),
}

impl Tree {
    /// Returns the value under a key, or the item at an index.
    pub(crate) fn get(&self, segment: &str) -> Option<&Self> {
        match self {
            Self::Map(entries) => {
                entries.iter().find_map(|(key, value)| (key == segment).then_some(value))
            }
            Self::List(items) => items.get(segment.parse::<usize>().ok()?),
            _ => None,
        }
    }

    pub(super) fn get_mut(&mut self, path: &[String]) -> Option<&mut Self> {
        let Some((first, rest)) = path.split_first() else {
            return Some(self);
        };
        let child = match self {
            Self::Map(entries) => {
                entries.iter_mut().find_map(|(key, value)| (key == first).then_some(value))
            }
            Self::List(items) => items.get_mut(first.parse::<usize>().ok()?),
            _ => None,
        };
        child?.get_mut(rest)
    }

    /// Keeps the first of each repeated key.
    pub(super) fn forget_repeats(&mut self) {
        match self {
            Self::Map(entries) => {
                let mut seen = HashSet::new();
                entries.retain(|(key, _)| seen.insert(key.clone()));
                for (_, value) in entries {
                    value.forget_repeats();
                }
            }
            Self::List(items) => items.iter_mut().for_each(Self::forget_repeats),
            _ => {}
        }
    }
}

impl<'de> Deserialize<'de> for Tree {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(TreeVisitor)
    }
}

struct TreeVisitor;

impl<'de> Visitor<'de> for TreeVisitor {
    type Value = Tree;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a value")
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<Tree, E> {
        Ok(Tree::Boolean(value))
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<Tree, E> {
        Ok(Tree::Unsigned(value))
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<Tree, E> {
        Ok(u64::try_from(value).map_or(Tree::Signed(value), Tree::Unsigned))
    }

    fn visit_u128<E: Error>(self, value: u128) -> Result<Tree, E> {
        Ok(Tree::Float(value as f64))
    }

    fn visit_i128<E: Error>(self, value: i128) -> Result<Tree, E> {
        Ok(Tree::Float(value as f64))
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<Tree, E> {
        Ok(Tree::Float(value))
    }

    fn visit_str<E: Error>(self, value: &str) -> Result<Tree, E> {
        Ok(Tree::Text(value.to_owned()))
    }

    fn visit_none<E: Error>(self) -> Result<Tree, E> {
        Ok(Tree::Null)
    }

    fn visit_unit<E: Error>(self) -> Result<Tree, E> {
        Ok(Tree::Null)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Tree, A::Error> {
        let mut list = Vec::new();
        while let Some(item) = items.next_element()? {
            list.push(item);
        }
        Ok(Tree::List(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Tree, A::Error> {
        let mut map = Vec::new();
        while let Some((key, value)) = entries.next_entry::<Tree, Tree>()? {
            map.push((key.into_key(), value));
        }
        Ok(Tree::Map(map))
    }
}

impl Tree {
    /// Returns what a key is called: `2026: …` and `true: …` are named as they look.
    fn into_key(self) -> String {
        match self {
            Self::Text(text) => text,
            Self::Boolean(value) => value.to_string(),
            Self::Unsigned(value) => value.to_string(),
            Self::Signed(value) => value.to_string(),
            Self::Float(value) => value.to_string(),
            Self::Null => "null".to_owned(),
            // The reader of positions refuses keys that are mappings or lists.
            Self::Hole | Self::List(_) | Self::Map(_) => String::new(),
        }
    }
}
