//! The stable codes of diagnostics.

/// Says whether a diagnostic stops a pipeline.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Severity {
    Error,
    Warning,
}

macro_rules! codes {
    ($($(#[$doc:meta])* $variant:ident = $slug:literal,)*) => {
        /// Names a kind of mistake for good: scripts may match on it.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub(crate) enum Code {
            $($(#[$doc])* $variant,)*
        }

        impl Code {
            /// Every code there is.
            pub(crate) const ALL: &[Self] = &[$(Self::$variant),*];

            pub(crate) const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => $slug,)*
                }
            }

            /// Says, in Markdown, what the mistake is, why it is one and what to do about it.
            ///
            /// The text is `docs/codes/<code>.md`; a code without one does not compile.
            pub(crate) const fn explanation(self) -> &'static str {
                match self {
                    $(Self::$variant => {
                        include_str!(concat!("../../docs/codes/", $slug, ".md"))
                    })*
                }
            }
        }
    };
}

codes! {
    /// A file or folder that is named does not exist or cannot be read.
    FileUnreadable = "file/unreadable",
    /// A path climbs out of the project's root, or is absolute.
    PathOutside = "file/outside-root",
    /// A folder of stages holds no `.sql` file.
    FolderEmpty = "file/empty-folder",
    /// The text is no YAML, or is beyond the limits on size, depth or aliases.
    YamlSyntax = "yaml/syntax",
    /// A key stands twice in one mapping.
    YamlDuplicateKey = "yaml/duplicate-key",
    /// A key means nothing where it stands.
    UnknownKey = "spec/unknown-key",
    /// A key that must be there is missing.
    MissingKey = "spec/missing-key",
    /// A value has the wrong type or shape.
    WrongType = "spec/wrong-type",
    /// A value is of the right type but not one that is allowed.
    BadValue = "spec/bad-value",
    /// A flag, a variable or a key of an environment's file has a value that makes no sense.
    BadSetting = "settings/bad-value",
    /// A secret stands where others can read it.
    SecretInFile = "settings/secret-in-file",
    /// A text that should be a name is none.
    BadName = "plan/bad-name",
    /// Two things bear one name.
    DuplicateName = "plan/duplicate-name",
    /// A column is named that its source or stage does not have.
    UnknownColumn = "plan/unknown-column",
    /// A source is named that the pipeline does not have.
    UnknownSource = "plan/unknown-source",
    /// A stage or mart is named that no file defines.
    UnknownStage = "plan/unknown-stage",
    /// An identifier type is named that the pipeline does not declare.
    UnknownIdentifier = "plan/unknown-identifier",
    /// A rule of fuzzy matching makes no sense.
    BadMatch = "plan/bad-match",
    /// Pairs of scores have no segment.
    SegmentGap = "plan/segment-gap",
    /// A rule of segments never applies, because rules before it take all it says.
    SegmentUnreachable = "plan/segment-unreachable",
    /// Stages need each other in a circle.
    StageCycle = "plan/stage-cycle",
    /// A path pattern cannot be understood.
    BadPattern = "plan/bad-pattern",
    /// A check names no rule, or more than one.
    BadCheck = "plan/bad-check",
    /// A sidecar stands beside no stage.
    OrphanSidecar = "plan/orphan-sidecar",
    /// The declared columns of a stage are not those its SQL yields.
    ContractDrift = "plan/contract-drift",
    /// A mart would show personal data, and its contract does not say so.
    PersonalColumn = "plan/personal-column",
    /// A mart that keeps its nights does not say of which night a row is.
    BadHistory = "plan/bad-history",
    /// A stage claims to be computed customer by customer, and its SQL does not show that it can be.
    BadIncremental = "plan/bad-incremental",
    /// The text is no SQL.
    SqlSyntax = "sql/syntax",
    /// A stage is not one single `SELECT`.
    SqlNotSelect = "sql/not-a-select",
    /// A table is named that is neither source nor stage.
    SqlUnknownTable = "sql/unknown-table",
    /// A column is named that no table in scope has.
    SqlUnknownColumn = "sql/unknown-column",
    /// A function is called that does not exist.
    SqlUnknownFunction = "sql/unknown-function",
    /// A `$name` is neither `$as_of`, `$as_of_date`, `$currency` nor a variable of the pipeline.
    SqlUnknownParameter = "sql/unknown-parameter",
    /// A function is called whose answer does not follow from its arguments, such as `now`.
    SqlNotDeterministic = "sql/not-deterministic",
    /// The SQL cannot be planned for another reason, such as incompatible types.
    SqlInvalid = "sql/invalid",
    /// A table of a `WITH` is read more than once, and computed each time.
    RepeatedCte = "sql/repeated-cte",
    /// A mart takes whatever columns its inputs have.
    SelectStar = "sql/select-star",
    /// Tables are joined without a condition.
    CrossJoin = "sql/cross-join",
    /// Money is computed in a type that rounds.
    FloatMoney = "sql/float-money",
    /// An instant is compared with a day, a local time, a text or a number.
    MixedTime = "sql/mixed-time",
    /// A variable is declared that nothing uses.
    UnusedVariable = "plan/unused-variable",
    /// A source is declared that no mart needs.
    UnusedSource = "plan/unused-source",
    /// A stage is written that no mart needs.
    UnusedStage = "plan/unused-stage",
    /// A test of a stage is not well formed.
    BadTest = "test/bad-test",
    /// A test gives a table that its stage does not need.
    TestUnknownTable = "test/unknown-table",
    /// A test names a column that the table does not have.
    TestUnknownColumn = "test/unknown-column",
    /// A value in a test does not fit the type of its column.
    TestBadValue = "test/bad-value",
}
