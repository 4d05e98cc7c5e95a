//! What may be asked of published tables.

use datafusion::sql::parser::{DFParser, Statement as ParsedStatement};

use super::{SelectError, not_select, only_query, second_statement};

/// Says why a text is no question: one `SELECT`, or `EXPLAIN` and one.
pub(crate) fn judge_question(sql: &str) -> Result<(), SelectError> {
    let mut statements = DFParser::parse_sql(sql).map_err(SelectError::Syntax)?;
    let mut asked = statements.pop_front().ok_or(SelectError::Empty)?;
    if !statements.is_empty() {
        let (line, column) = second_statement(sql);
        return Err(SelectError::Several(line, column));
    }
    while let ParsedStatement::Explain(explained) = asked {
        asked = *explained.statement;
    }
    only_query(asked).map(drop).map_err(|kind| not_select(sql, kind))
}

#[cfg(test)]
mod tests {
    use super::judge_question;
    use crate::engine::SelectError;

    #[test]
    fn questions_only_read() {
        for sql in [
            "SELECT 1",
            "EXPLAIN SELECT 1",
            "WITH a AS (SELECT 1) SELECT * FROM clean.a",
            "VALUES (1)",
        ] {
            assert!(judge_question(sql).is_ok(), "{sql}");
        }
        let told = |sql| match judge_question(sql) {
            Err(SelectError::NotSelect { kind, line, column }) => format!("{kind} {line}:{column}"),
            other => format!("{other:?}"),
        };
        assert_eq!(told("\n  DELETE FROM a"), "DELETE 2:3");
        assert_eq!(told("EXPLAIN DROP TABLE a"), "DROP 1:9");
        assert_eq!(told("COPY a TO 'b'"), "COPY 1:1");
        assert_eq!(told("SELECT 1; SELECT 2"), "Err(Several(1, 11))");
    }
}
