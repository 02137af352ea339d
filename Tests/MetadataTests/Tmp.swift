extension ContractCase { static let buckets: [ContractCase] = [] }
extension ContractCase { static let conditions: [ContractCase] = [] }
extension ContractCase { static let listings: [ContractCase] = [] }
extension ContractCase { static let versionListings: [ContractCase] = [] }
extension ContractCase { static let uploads: [ContractCase] = [] }
extension ContractCase { static let users: [ContractCase] = [] }
extension ContractCase { static let garbage: [ContractCase] = [] }
