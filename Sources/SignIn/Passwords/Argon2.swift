import Base
import CArgon2

#if canImport(Glibc)
    import Glibc
#else
    import Musl
#endif

/// Argon2id, computed by libargon2 on the calling thread.
enum Argon2 {
    /// The hash of these bytes; refuses when the system has no memory for it.
    static func hash(_ password: [UInt8], salt: [UInt8], _ cost: PasswordCost, bytes count: Int) throws -> [UInt8] {
        var password = password
        var salt = salt
        var output = [UInt8](repeating: 0, count: count)
        let code = output.withUnsafeMutableBufferPointer { output in
            password.withUnsafeMutableBufferPointer { password in
                salt.withUnsafeMutableBufferPointer { salt in
                    var context = argon2_context()
                    context.out = output.baseAddress
                    context.outlen = UInt32(clamping: output.count)
                    context.pwd = password.baseAddress
                    context.pwdlen = UInt32(clamping: password.count)
                    context.salt = salt.baseAddress
                    context.saltlen = UInt32(clamping: salt.count)
                    context.t_cost = cost.passes
                    context.m_cost = cost.memory
                    context.lanes = cost.lanes
                    context.threads = 1
                    context.version = UInt32(ARGON2_VERSION_13.rawValue)
                    // The memory comes from the system and goes back to it: an allocator that keeps large blocks for
                    // later would hold tens of megabytes after the last sign-in.
                    context.allocate_cbk = { memory, count in
                        let block = mmap(nil, count, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)
                        guard let memory, let block, block != MAP_FAILED else {
                            return ARGON2_MEMORY_ALLOCATION_ERROR.rawValue
                        }
                        memory.pointee = block.assumingMemoryBound(to: UInt8.self)
                        return ARGON2_OK.rawValue
                    }
                    context.free_cbk = { memory, count in
                        if let memory { munmap(memory, count) }
                    }
                    return argon2id_ctx(&context)
                }
            }
        }
        guard code == ARGON2_OK.rawValue else {
            throw Refusal(
                .unavailable, "signin.busy", "The server has no memory for sign-ins just now. Try again soon.",
                detail: String(cString: argon2_error_message(code)), retryAfter: .seconds(5))
        }
        return output
    }
}
