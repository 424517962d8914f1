//! The setters of lists.

/// Writes the options of lists: [`Call`](crate::Call) of a list,
/// [`Sweep`](crate::Sweep). Both have `edit_list`.
macro_rules! list_options {
    () => {
        /// Lists only the operations that the service's own filter language selects,
        /// such as `done = false` (AIP-160). Default: all.
        ///
        /// ```
        /// # let server = longrunning::testing::FakeServer::start();
        /// # let client = server.client();
        /// for operation in client.list("projects/p").filter("done = false") {
        ///     println!("{}", operation?.name());
        /// }
        /// # Ok::<(), longrunning::Error>(())
        /// ```
        pub fn filter(self, filter: impl Into<String>) -> Self {
            // Sent as it is: each service has its own language, so only it can check it.
            self.edit_list(|request, _| request.filter = filter.into())
        }

        /// Requests at most `page_size` operations per page (AIP-158). Default: the
        /// service's choice, as with zero.
        ///
        /// A service may return fewer.
        ///
        /// ```
        /// # let server = longrunning::testing::FakeServer::start();
        /// # for n in 0..25 { server.insert(longrunning::Operation::running(format!("projects/p/operations/{n}"))); }
        /// # let client = server.client();
        /// assert_eq!(client.list("projects/p").page_size(10).pages().count(), 3);
        /// ```
        pub fn page_size(self, page_size: i32) -> Self {
            // A negative number is the service's to reject.
            self.edit_list(|request, _| request.page_size = page_size)
        }

        /// Limits the whole iteration over a list, the caller's time between steps
        /// included. Default: no limit.
        ///
        /// It is counted from the first step. The step that exceeds it fails with
        /// [`ErrorKind::Timeout`](crate::ErrorKind::Timeout);
        /// [`Error::page_token`](crate::Error::page_token) is where to continue.
        /// `total_timeout` limits one step. A sweep limits its calls by it too: it
        /// starts no more of them, and counts the rest as not tried.
        ///
        /// ```
        /// # let server = longrunning::testing::FakeServer::start();
        /// # let client = server.client();
        /// use std::time::Duration;
        ///
        /// for operation in client.list("projects/p").iteration_timeout(Duration::from_secs(300)) {
        ///     println!("{}", operation?.name());
        /// }
        /// # Ok::<(), longrunning::Error>(())
        /// ```
        pub fn iteration_timeout(self, iteration_timeout: std::time::Duration) -> Self {
            self.edit_list(|_, limits| limits.iteration_timeout = Some(iteration_timeout))
        }

        /// Limits how many pages are fetched, empty pages included. Default: no limit.
        ///
        /// If there are more, the iteration ends with an error of kind
        /// [`Stopped`](crate::ErrorKind::Stopped), and
        /// [`Error::page_token`](crate::Error::page_token) is where to continue. With
        /// zero nothing is sent.
        ///
        /// ```
        /// # let server = longrunning::testing::FakeServer::start();
        /// # for n in 0..25 { server.insert(longrunning::Operation::running(format!("projects/p/operations/{n}"))); }
        /// # let client = server.client();
        /// let mut operations = client.list("projects/p").page_size(10).max_pages(2).operations();
        /// assert_eq!(operations.by_ref().take_while(Result::is_ok).count(), 20);
        /// let token = operations.page_token().unwrap_or_default();
        /// assert_eq!(client.list("projects/p").page_token(token).operations().count(), 5);
        /// ```
        pub fn max_pages(self, max_pages: usize) -> Self {
            self.edit_list(|_, limits| limits.max_pages = Some(max_pages))
        }
    };
}

pub(crate) use list_options;
