//! Reads positions off the events of a YAML parser.

use std::collections::HashMap;
use std::ops::Range;

use saphyr_parser::{Event, Parser, ScalarStyle, ScanError, Span};

use super::map::{Node, PositionMap};
use super::offsets::Offsets;
use crate::diagnostics::{Code, Diagnostic, Diagnostics, SourceFile};

/// The largest text that is read.
pub(crate) const MAX_BYTES: usize = 1 << 20;
/// How deep mappings and lists may stand in each other.
const MAX_DEPTH: usize = 64;
/// A file that repeats more keys than these is not a file with mistakes, but another kind of file.
const MOST_REPEATS: usize = 100;

/// Finds where everything stands, and what keeps the text from being one plain YAML document.
///
/// After a diagnostic other than a repeated key, the text must not be read further: it is broken or
/// may be built to exhaust its reader.
pub(crate) fn read(file: &SourceFile) -> (PositionMap, Diagnostics) {
    if file.text.len() > MAX_BYTES {
        let message = format!("the file is larger than {} KiB", MAX_BYTES >> 10);
        return (
            PositionMap::default(),
            vec![Diagnostic::error(Code::YamlSyntax, message).at(file, 0..0)],
        );
    }
    let mut reader = Reader::new(file);
    for event in Parser::new_from_str(&file.text) {
        match event {
            Ok((event, span)) if reader.goes_on() => reader.on_event(event, span),
            Ok(_) => break,
            Err(error) => {
                reader.on_syntax_error(&error);
                break;
            }
        }
    }
    (PositionMap::new(reader.root), reader.diagnostics)
}

struct Reader<'a> {
    file: &'a SourceFile,
    offsets: Offsets,
    /// The mappings and lists that are open, the innermost last.
    open: Vec<Open>,
    root: Node,
    documents: usize,
    stopped: bool,
    diagnostics: Diagnostics,
}

/// A mapping or list of which not all has been read.
struct Open {
    node: Node,
    kind: Kind,
}

enum Kind {
    List,
    Map {
        /// The key whose value comes next.
        key: Option<(String, Range<usize>)>,
        /// The keys so far, with the place of each.
        seen: HashMap<String, Range<usize>>,
    },
}

impl<'a> Reader<'a> {
    fn new(file: &'a SourceFile) -> Self {
        Self {
            file,
            offsets: Offsets::new(&file.text),
            open: Vec::new(),
            root: Node::default(),
            documents: 0,
            stopped: false,
            diagnostics: Vec::new(),
        }
    }

    fn goes_on(&self) -> bool {
        !self.stopped
    }

    fn on_event(&mut self, event: Event<'_>, span: Span) {
        let place = self.bytes(span);
        match event {
            Event::DocumentStart(_) => self.on_document(place),
            Event::Alias(_) => self.refuse_anchor(place),
            Event::Scalar(text, style, anchor, tag) => {
                self.refuse_extras(anchor, tag.is_some(), &place);
                let is_left_out = text.is_empty() && style == ScalarStyle::Plain;
                let end = if is_left_out { place.start } else { place.end };
                self.on_scalar(text.into_owned(), place.start..end);
            }
            Event::SequenceStart(anchor, tag) => {
                self.refuse_extras(anchor, tag.is_some(), &place);
                self.begin(Kind::List, place);
            }
            Event::MappingStart(anchor, tag) => {
                self.refuse_extras(anchor, tag.is_some(), &place);
                self.begin(Kind::new_map(), place);
            }
            Event::SequenceEnd | Event::MappingEnd => self.end(place),
            Event::Nothing | Event::StreamStart | Event::StreamEnd | Event::DocumentEnd => {}
        }
    }

    fn on_document(&mut self, place: Range<usize>) {
        self.documents += 1;
        if self.documents > 1 {
            self.stop(
                Diagnostic::error(Code::YamlSyntax, "a second document begins in the file")
                    .at(self.file, place)
                    .help("keep one document in each file, without a `---` after its first line"),
            );
        }
    }

    fn on_scalar(&mut self, text: String, place: Range<usize>) {
        match self.open.last_mut().map(|open| &mut open.kind) {
            Some(Kind::Map { key, .. }) if key.is_none() => self.on_key(text, place),
            _ => self.on_value(place, Vec::new()),
        }
    }

    fn on_key(&mut self, text: String, place: Range<usize>) {
        let Some(Kind::Map { key, seen }) = self.open.last_mut().map(|open| &mut open.kind) else {
            return;
        };
        if let Some(first) = seen.get(&text) {
            self.diagnostics.push(
                Diagnostic::error(Code::YamlDuplicateKey, format!("the key `{text}` stands twice"))
                    .labelled(self.file, place.clone(), "again here")
                    .labelled(self.file, first.clone(), "first here"),
            );
        } else {
            seen.insert(text.clone(), place.clone());
        }
        *key = Some((text, place.clone()));
        if self.diagnostics.len() == MOST_REPEATS {
            let message = format!("{MOST_REPEATS} keys stand twice; the rest is not read");
            self.stop(Diagnostic::error(Code::YamlSyntax, message).at(self.file, place));
        }
    }

    /// Hangs a finished value below the mapping or list it stands in.
    fn on_value(&mut self, value: Range<usize>, children: Vec<Node>) {
        let Some(parent) = self.open.last_mut() else {
            self.root.value = value;
            self.root.children = children;
            return;
        };
        let (segment, key) = match &mut parent.kind {
            Kind::Map { key, .. } => key.take().unwrap_or_default(),
            Kind::List => (parent.node.children.len().to_string(), value.clone()),
        };
        // A value that is left out has no place of its own.
        let value = if value.is_empty() { key.clone() } else { value };
        parent.node.children.push(Node { segment, key, value, children });
    }

    fn begin(&mut self, kind: Kind, place: Range<usize>) {
        if self.open.len() == MAX_DEPTH {
            let message =
                format!("mappings and lists stand in each other more than {MAX_DEPTH} deep");
            return self.stop(Diagnostic::error(Code::YamlSyntax, message).at(self.file, place));
        }
        if self.open.last().is_some_and(Open::awaits_key) {
            return self.stop(
                Diagnostic::error(Code::YamlSyntax, "a mapping or list stands where a key belongs")
                    .at(self.file, place),
            );
        }
        let node = Node { value: place, ..Node::default() };
        self.open.push(Open { node, kind });
    }

    fn end(&mut self, place: Range<usize>) {
        let Some(Open { node, .. }) = self.open.pop() else {
            return;
        };
        // Only the flow style has a closing bracket; a block ends where its last value ends.
        let end = match (place.is_empty(), node.children.last()) {
            (false, _) => place.end,
            (true, Some(last)) => last.value.end,
            (true, None) => node.value.end,
        };
        self.on_value(node.value.start..end, node.children);
    }

    fn refuse_extras(&mut self, anchor: usize, has_tag: bool, place: &Range<usize>) {
        if anchor != 0 {
            self.refuse_anchor(place.clone());
        }
        if has_tag {
            self.stop(
                Diagnostic::error(Code::YamlSyntax, "YAML tags are not supported")
                    .at(self.file, place.clone())
                    .help("leave the tag out; a value has its type by the key it stands under"),
            );
        }
    }

    fn refuse_anchor(&mut self, place: Range<usize>) {
        self.stop(
            Diagnostic::error(Code::YamlSyntax, "YAML anchors and aliases are not supported")
                .at(self.file, place)
                .help("write the value out in each place"),
        );
    }

    fn on_syntax_error(&mut self, error: &ScanError) {
        let start = self.offsets.byte(error.marker().index());
        self.stop(
            Diagnostic::error(Code::YamlSyntax, format!("this is no YAML: {}", error.info()))
                .at(self.file, start..start),
        );
    }

    fn stop(&mut self, diagnostic: Diagnostic) {
        self.stopped = true;
        self.diagnostics.push(diagnostic);
    }

    /// Returns where a span stands, without the white space the parser may count to its end.
    fn bytes(&self, span: Span) -> Range<usize> {
        let start = self.offsets.byte(span.start.index());
        let end = self.offsets.byte(span.end.index()).max(start);
        start..start + self.file.text[start..end].trim_end().len()
    }
}

impl Open {
    fn awaits_key(&self) -> bool {
        matches!(self.kind, Kind::Map { key: None, .. })
    }
}

impl Kind {
    fn new_map() -> Self {
        Self::Map { key: None, seen: HashMap::new() }
    }
}
