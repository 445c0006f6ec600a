import Base
import Fleet
import MQTT
import NIOCore

/// Letting a device in, and seeing it out.
extension MQTTHandler {
    func authenticate(_ connect: Connect, into output: inout ByteBuffer, at now: NIODeadline) -> Ending? {
        do throws(Refusal) {
            let device = try service.admit(certified: certified, connect: connect)
            let key = MQTTSessions.Key(device: device.device, channels: device.channels)
            service.sessions.claim(key, by: self, at: now).assumeIsolated().whenComplete { result in
                let kept = (try? result.get()) ?? nil
                self.admit(device, key, connect, resuming: connect.cleanStart ? nil : kept)
            }
            return nil
        } catch {
            service.refused(error, address: address, tenant: certified?.tenant)
            return session.refuse(error.reasonCode, into: &output)
        }
    }

    private func admit(
        _ device: AdmittedDevice, _ key: MQTTSessions.Key, _ connect: Connect, resuming kept: MQTTSessions.Kept?
    ) {
        guard !isClosing, let context, context.channel.isActive else {
            service.sessions.release(key, by: self, keeping: kept, at: .now())
            return
        }
        var output = loop.takeOutput()
        let clientID = connect.clientID.isEmpty ? device.name.text : connect.clientID
        if let ending = session.accept(clientID: clientID, resuming: kept?.session, into: &output, at: .now()) {
            service.sessions.release(key, by: self, keeping: nil, at: .now())
            send(&output)
            return finish(ending)
        }
        guard service.register(device, on: context.channel) else {
            service.sessions.release(key, by: self, keeping: nil, at: .now())
            let ending = session.disconnect(.quotaExceeded, into: &output)
            send(&output)
            if let ending { finish(ending) }
            return
        }
        admitted = Admitted(
            device: device, key: key, ingest: service.ingest(for: device, on: loop), gate: service.gate(for: device),
            presence: service.presence.connected(device, via: "mqtt", address: address))
        service.counters.connections.add(1)
        send(&output)
        arm()
        if let kept { resumed(kept) }
        work()
    }

    func takenOver() -> MQTTSessions.Kept? {
        var output = loop.takeOutput()
        let ending = session.disconnect(.sessionTakenOver, into: &output)
        send(&output)
        guard let ending else { return nil }
        service.counters.takenOver.add()
        let kept = self.kept(of: ending)
        finish(ending)
        return kept
    }

    private func kept(of ending: Ending) -> MQTTSessions.Kept? {
        ending.state.map {
            MQTTSessions.Kept(
                session: $0, desired: reporting?.desired ?? DesiredDelivery(), tasks: tasking?.told ?? TaskDelivery())
        }
    }

    func end(_ reason: ReasonCode, text: String?) {
        var output = loop.takeOutput()
        let ending = session.disconnect(reason, text: text, into: &output)
        send(&output)
        if let ending { finish(ending) } else { context?.close(promise: nil) }
    }

    /// Sees to what a session leaves behind, once, and closes.
    func finish(_ ending: Ending) {
        guard !isClosing else { return }
        isClosing = true
        connection.setDeadline(.distantFuture)
        if case .violation = ending.cause { service.counters.violations.add() }
        if let admitted {
            service.counters.connections.add(-1)
            if let channel = context?.channel { service.unregister(admitted.device, from: channel) }
            service.sessions.release(admitted.key, by: self, keeping: kept(of: ending), at: .now())
            service.presence.disconnected(admitted.presence, reason: Self.offline(ending))
        }
        context?.close(mode: .all, promise: nil)
    }

    private static func offline(_ ending: Ending) -> DeviceOffline.Reason {
        switch ending.cause {
        case .client: ending.will == nil ? .closed : .lost
        case .server, .violation: .ended
        case .lost, .silence: .lost
        }
    }
}
