import ServiceLifecycle

/// Says where the server is once all its listeners accept, so that a start that is refused has said one thing only.
struct Greeting: Service {
    private let server: RunningServer
    private let say: @Sendable () -> Void

    init(_ server: RunningServer, _ say: @escaping @Sendable () -> Void) {
        self.server = server
        self.say = say
    }

    func run() async throws {
        await cancelWhenGracefulShutdown {
            while !server.isListening {
                do { try await Task.sleep(for: .milliseconds(20)) } catch { return }
            }
            say()
        }
    }
}
