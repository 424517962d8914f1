//! The table of services, one row a line: what `docs/services.md` shows and what the tests play.

const TABLE: &str = include_str!("../../fixtures/services/table.tsv");

/// One service, or one kind of work of it. Cells without a value are `-`.
pub(super) struct ServiceRow {
    pub(super) service: &'static str,
    pub(super) host: &'static str,
    pub(super) regional_hosts: &'static str,
    pub(super) version: &'static str,
    /// The shapes of operation names, and `+N` for N more that the page leaves out.
    pub(super) names: &'static str,
    /// An operation's name, and the path of the request that gets it.
    pub(super) name: &'static str,
    pub(super) get: &'static str,
    /// A parent, and the path of the request that lists its operations.
    pub(super) parent: &'static str,
    pub(super) list: &'static str,
    /// What the service has, of `get list cancel delete wait:FORM`.
    pub(super) methods: &'static str,
    /// The verb and the path of a request that starts one.
    pub(super) start: &'static str,
    /// `*`: the request; a name: this field of the request; `-`: none.
    pub(super) body: &'static str,
    pub(super) response_type: &'static str,
    pub(super) response: &'static str,
    pub(super) metadata_type: &'static str,
    pub(super) metadata: &'static str,
    /// What [`Progress`](longrunning::Progress) reads from the metadata.
    pub(super) progress: &'static str,
    /// The file of googleapis and the discovery document that have the methods and types.
    pub(super) proto: &'static str,
    pub(super) discovery: &'static str,
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

pub(super) fn rows() -> Vec<ServiceRow> {
    TABLE.lines().filter(|line| !line.starts_with('#')).map(row).collect()
}

fn row(line: &'static str) -> ServiceRow {
    let cells: Vec<&str> = line.split('\t').collect();
    let [
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
        body,
        response_type,
        response,
        metadata_type,
        metadata,
        progress,
        proto,
        discovery,
    ] = cells[..]
    else {
        panic!("{line}: {} cells", cells.len())
    };
    ServiceRow {
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
        body,
        response_type,
        response,
        metadata_type,
        metadata,
        progress,
        proto,
        discovery,
    }
}
