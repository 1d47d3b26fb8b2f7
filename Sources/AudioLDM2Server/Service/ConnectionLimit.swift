#if Server
    import Glibc

    /// Connections at a time.
    enum ConnectionLimit {
        /// More than browsers and programs of a machine need.
        private static let most = 512
        /// Files that the work, the models and the server itself take.
        private static let otherFiles = 64

        /// As many as there can be files: a connection takes one, and two more while a sound is sent that is being made. First
        /// raises how many files this process may have as far as it may.
        static func raised() -> Int {
            var limit = rlimit()
            let files = __rlimit_resource_t(RLIMIT_NOFILE.rawValue)
            guard getrlimit(files, &limit) == 0 else { return most }
            let wanted = rlim_t(3 * most + otherFiles)
            if limit.rlim_cur < wanted {
                limit.rlim_cur = min(limit.rlim_max, wanted)
                _ = setrlimit(files, &limit)
            }
            let room = Int(clamping: limit.rlim_cur) - otherFiles
            return max(min(room / 3, most), 4)
        }
    }
#endif
