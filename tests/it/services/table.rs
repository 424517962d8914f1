//! The tables of services, one row a line: what the pages show and what the tests play.

/// Declares a row: a field for each column that the tests read, under the name in the first line of the file.
macro_rules! table_row {
    ($(#[$about:meta])* $Row:ident of $file:literal { $($(#[$doc:meta])* $column:ident,)+ }) => {
        $(#[$about])*
        pub(super) struct $Row {
            $($(#[$doc])* pub(super) $column: &'static str,)+
        }

        impl $Row {
            pub(super) fn all() -> Vec<Self> {
                const TABLE: &str = include_str!(concat!("../../fixtures/services/", $file));
                let row = |line| Self { $($column: cell(TABLE, line, stringify!($column)),)+ };
                TABLE.lines().filter(|line| !line.starts_with('#')).map(row).collect()
            }
        }
    };
}

table_row! {
    /// One service, or one kind of work of it. Cells without a value are `-`.
    ServiceRow of "table.tsv" {
        service,
        host,
        regional_hosts,
        version,
        /// The shapes of operation names, and `+N` for N more that the page leaves out.
        names,
        /// An operation's name, and the path of the request that gets it.
        name,
        get,
        /// A parent, and the path of the request that lists its operations.
        parent,
        list,
        /// What the service has, of `get list cancel delete wait:FORM`.
        methods,
        /// The verb and the path of a request that starts one.
        start,
        /// `*`: the request; a name: this field of the request; `-`: none.
        body,
        response_type,
        response,
        metadata_type,
        metadata,
        /// What [`Progress`](longrunning::Progress) reads from the metadata.
        progress,
        /// The file of googleapis and the discovery document that have the methods and types.
        proto,
        discovery,
    }
}

impl ServiceRow {
    pub(super) fn has(&self, method: &str) -> bool {
        self.methods.split(' ').any(|bound| bound.split(':').next() == Some(method))
    }

    /// The form of WaitOperation, if the service has it.
    pub(super) fn wait(&self) -> Option<&'static str> {
        self.methods.split(' ').find_map(|method| method.strip_prefix("wait:"))
    }
}

table_row! {
    /// A service with operations of its own: the columns of the other table, and the bodies.
    ExtendedRow of "extended.tsv" {
        service,
        host,
        regional_hosts,
        version,
        names,
        name,
        get,
        parent,
        list,
        methods,
        start,
        /// The message in the discovery document.
        message,
        done,
        /// What `Operation::target_link` returns; `-` if nothing.
        target_link,
        running,
        progress,
        listing,
    }
}

/// Returns the cell of a line under a column.
fn cell(table: &'static str, line: &'static str, column: &str) -> &'static str {
    let columns = table.lines().next().and_then(|line| line.strip_prefix('#')).expect("names of columns");
    assert_eq!(line.split('\t').count(), columns.split('\t').count(), "{line}");
    let mut cells = columns.split('\t').zip(line.split('\t'));
    cells
        .find_map(|(name, cell)| (name == column).then_some(cell))
        .unwrap_or_else(|| panic!("no column `{column}`"))
}
