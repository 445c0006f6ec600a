/// Every bound of directories.
enum DirectoryLimits {
    /// Directories of one tenant.
    static let directories = 20
    /// Groups with a role, of one directory.
    static let rules = 500
    /// Bytes of a setting.
    static let textBytes = 1000
    /// Bytes of certificates to trust.
    static let authorityBytes = 64 << 10
    /// Groups of one person that are looked at.
    static let groups = 2000
    /// Bytes of a provider's document.
    static let documentBytes = 256 << 10
    /// How long a person may take at the provider.
    static let visitMinutes: Int64 = 10
    /// Sign-ins under way at providers at one time.
    static let visits = 10_000
    /// How long a provider's documents are believed.
    static let documentLife = Duration.seconds(3600)
    /// How soon its keys may be asked for again when one is not known.
    static let keysAgain = Duration.seconds(60)
    /// Providers whose documents are remembered.
    static let rememberedProviders = 1000
    /// Bytes of the name by which a provider knows somebody (OpenID Connect Core, section 2), with its own.
    static let subjectBytes = 1255
    /// Seconds that a directory may take to answer one question.
    static let answerSeconds = 10
    /// Seconds that it may take to accept a connection.
    static let connectSeconds = 5
    /// Microseconds at whose multiples a refused sign-in is answered.
    static let refusalStep: Int64 = 500_000
    /// Questions to directories at one time.
    static let questions = 8
    /// Questions that wait.
    static let waitingQuestions = 256
    /// Bytes of what somebody types as their name or password.
    static let typedBytes = 256
}
