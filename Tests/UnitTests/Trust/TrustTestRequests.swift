/// Certificate requests as OpenSSL 3.0 writes them; the private keys were thrown away.
enum TrustTestRequests {
    /// ECDSA on P-256, asking for much else.
    static let p256 = """
        MIIBNzCB3gIBADAPMQ0wCwYDVQQDDARldmlsMFkwEwYHKoZIzj0CAQYIKoZIzj0D
        AQcDQgAEK+u0gF63BLRw7apq39urnkoNHFBldZmZq5NZbLGr/88fIAZEvtPgzUI5
        /rktsUnTuI4XAui4K1ElvNLgMa0pNaBtMBcGCSqGSIb3DQEJBzEKDAhodW50ZXIy
        MjBSBgkqhkiG9w0BCQ4xRTBDMA8GA1UdEwEB/wQFMAMBAf8wGwYDVR0RBBQwEoIQ
        ZXZpbC5leGFtcGxlLmNvbTATBgNVHSUEDDAKBggrBgEFBQcDATAKBggqhkjOPQQD
        AgNIADBFAiEA+XZeNpW3bOrRQkw0DzzXQ2Jg7Zw75/aQpZJQ7NHzoiMCIGzWYa6p
        +TuJ0pE5iifhGoq94ZtcpuRjj3HuPgM5SiiE
        """

    /// ECDSA on P-384.
    static let p384 = """
        MIIBdTCB+wIBADAPMQ0wCwYDVQQDDARldmlsMHYwEAYHKoZIzj0CAQYFK4EEACID
        YgAEyg08A4yVD5mFP2RgVwQYYZWqcNzdhnlgsa8dNorfL8af17aAbEL+md5dlaN8
        9NThtmpeDA+t5ZvxyqU1BOsOl7YoVslX2WgSkQ34nA5MNLhRo2sNzYtgDxCZChGa
        tMD5oG0wFwYJKoZIhvcNAQkHMQoMCGh1bnRlcjIyMFIGCSqGSIb3DQEJDjFFMEMw
        DwYDVR0TAQH/BAUwAwEB/zAbBgNVHREEFDASghBldmlsLmV4YW1wbGUuY29tMBMG
        A1UdJQQMMAoGCCsGAQUFBwMBMAoGCCqGSM49BAMCA2kAMGYCMQDtBwbpXtbFHt+z
        E/oWQoYTgm3BxG2LXCa6t1aION5aJW0gb2ZlG5MTm0KnDFqp6AQCMQDN3ODTA9J3
        Bh7ZZpctM/nvo0mYAftGpKQdlTq43BsduOGsaItC/dfLILTAQzF7iQg=
        """

    /// RSA with 2048 bits.
    static let rsa2048 = """
        MIICwTCCAakCAQAwDzENMAsGA1UEAwwEZXZpbDCCASIwDQYJKoZIhvcNAQEBBQAD
        ggEPADCCAQoCggEBALXXGhpJ95wXP931l1B8PLv8isdy3+weGdVyAC5Y+Q6J4ZyN
        GFp6qw87XIJPuiYFkVuUHe+7W6xCgeHM3X4rOS6yj/pGBAo7Qu/SgnhIOGxAL/O/
        57AYl9nJ32UcF4f7JUajIufTDWKx5wknadZjZvNPehCEzXTEdHjqt+ggui5Fbb9y
        jdN7zBAOC9rKAPyPLLhMfsSFWbIU2KiTAVCHgHQCAoJtGMzyS46/cVjLlFSnyxSS
        e4UcF0cPc6SzZA31gviFcrwnSxJCPK/ycHwnvz6CIq6wkCbLdTav3NbmhjPz4YWS
        aKteWjuioegd5QysELM7Bh3sWDjKM8hYtFQf5YUCAwEAAaBtMBcGCSqGSIb3DQEJ
        BzEKDAhodW50ZXIyMjBSBgkqhkiG9w0BCQ4xRTBDMA8GA1UdEwEB/wQFMAMBAf8w
        GwYDVR0RBBQwEoIQZXZpbC5leGFtcGxlLmNvbTATBgNVHSUEDDAKBggrBgEFBQcD
        ATANBgkqhkiG9w0BAQsFAAOCAQEAcaIU58pGWcXJK8uw8RRjZ30+Bctcu3JwGerK
        fcvluwQOuDOB/fpHUemnugUdLFM1lgypchqdZoq54oahBpLvkKvq/jhHmb4R1Uwv
        vejafficdvftj5bLCrTQMZi5dWxgDA2rOas1wW/58k+7b9pDaz0CSlMH8jrR1IKR
        cGYjpTzyL4cwmRH5EphAd5dDTQNs7ryHRfH5beVlcL+jYKL5X+zP7uA8mkZ3drnp
        KcQgDWSKhean3tYE+NdxGyjyArPzzW3f+eVX16ag7SWbQp/ZYDe0s5gBqHE92ZtR
        EQPfkaHExhqkVgMzUIaEEmxF1DNrS6gEroZ9VsT4/pxwasiwDg==
        """

    /// without any attribute.
    static let p256plain = """
        MIHGMG4CAQAwDDEKMAgGA1UEAwwBeDBZMBMGByqGSM49AgEGCCqGSM49AwEHA0IA
        BCvrtIBetwS0cO2qat/bq55KDRxQZXWZmauTWWyxq//PHyAGRL7T4M1COf65LbFJ
        07iOFwLouCtRJbzS4DGtKTWgADAKBggqhkjOPQQDAgNIADBFAiACzKpJmY5vA6x/
        ew91eR7KB7d33h2Il5FhOa6P3WRHMQIhAMFuttC9YVJX8/+BoA/6NPZIHgIzst2R
        COhWJuAPbrvF
        """

    /// RSA with 1024 bits.
    static let rsa1024 = """
        MIIBvDCCASUCAQAwDzENMAsGA1UEAwwEZXZpbDCBnzANBgkqhkiG9w0BAQEFAAOB
        jQAwgYkCgYEAvUhcxq7gLcdPghkJBe209ayjrrGCVsUY3s2jhOVdB5fkXROQzRUv
        8SD/QbZwASjXaXCFCh228kUysrzka6OVMag9pF7zUiwC+EknLOLg9FGslH82BNO1
        FgmQFPEE8f2t3tqKELHDMABanWzXThmOSlZzRvT5wFuLpdwOYgmUa/kCAwEAAaBt
        MBcGCSqGSIb3DQEJBzEKDAhodW50ZXIyMjBSBgkqhkiG9w0BCQ4xRTBDMA8GA1Ud
        EwEB/wQFMAMBAf8wGwYDVR0RBBQwEoIQZXZpbC5leGFtcGxlLmNvbTATBgNVHSUE
        DDAKBggrBgEFBQcDATANBgkqhkiG9w0BAQsFAAOBgQCAF+fmcZ313Jo7Hluu1pgv
        DCebol7I4Vz61TNc9NqCJ8pw/65AMwVRsR05RVpZlbziO2w7t3/utU9oQrPFtsX2
        s2rnY4QQ/BHVGVrdPo+tMMj0gaCD+TVaQDdYjDw5C4hi+k3DbGMpeioI6eKpvSkY
        neSKop0AXGDPGZ4/UZCbQA==
        """

    /// RSA with the exponent 3.
    static let rsaExponent3 = """
        MIICTzCCATcCAQAwDDEKMAgGA1UEAwwBYTCCASAwDQYJKoZIhvcNAQEBBQADggEN
        ADCCAQgCggEBAMtExCcbb49G+LdKTP4kzoeq1eb44jby7Rz64mhXCvztL5w8VaXD
        vNcXwjnDsvgBuZ03RuIeK7NGaE29Kch7MQty8AUT4ocOYeDyce3lQf6J5ogZ4FLQ
        meBkljx4gfsflGO5NPnHfsBC3e8YcaC++sSaRURvstd1seyM+VsWNy3M+Em/x2OA
        Uq4G4V1H5fiFzbd74G5xrmY12gz/TX2R28e/zHWIlQrcTKU4vJLGC9PsEGezjdDL
        /zzJodFwy76VnRx+x+9M9CacpIpJ4LAfWkObR/0HXKXNmNaiShsavTwZzdWBEqCi
        NIQ9XMY4SxQ0MbPK3CPqYnGWyjMDx1EiMssCAQOgADANBgkqhkiG9w0BAQsFAAOC
        AQEAQCJzxbHTdeYrKytBLoqIB3cjVntFVCXHfP3zDYl+v/4YNaWSn3iKqB7llPzY
        U6lv0k7/bobu16yfc4meD3Q0LWBKrV35lXqkfb+iotD5d3+cGDd3KknhHKLQwd1X
        7YCsubCyBEFYQAI/nZ+LQVisTwAQcJNKtw1sN8kZ0N2DKPGh0yfwbWg9s57eR/Oj
        gQTS0BzCMx7Qx0TkG34kIvQ7VN6fVsShLId3c1CPvRR+5PFCmPjoid8orS5k+5me
        r4e9J4mQqSX9dRJxnV5ykM+4fVXoGgrc/JDpmhITQCL2uYtWEHOSwfCaCAyxjPdB
        gDqHkRtvKERFr0rFXPcVXDZNSw==
        """

    /// Ed25519.
    static let ed25519 = """
        MIH8MIGvAgEAMA8xDTALBgNVBAMMBGV2aWwwKjAFBgMrZXADIQBsWW8/nW7Ypnkt
        i8povEkw2NJjsEMrYRuPtCMnxuX0saBtMBcGCSqGSIb3DQEJBzEKDAhodW50ZXIy
        MjBSBgkqhkiG9w0BCQ4xRTBDMA8GA1UdEwEB/wQFMAMBAf8wGwYDVR0RBBQwEoIQ
        ZXZpbC5leGFtcGxlLmNvbTATBgNVHSUEDDAKBggrBgEFBQcDATAFBgMrZXADQQDL
        7qLbehypHA0r3cQ5JYd94kIY6/liWTElxb5jk/yg1iaA67gxIO6WJLXhnbkhox7R
        NTb6bmfh3Zb5qfb/McwE
        """

    /// ECDSA on P-521.
    static let p521 = """
        MIIBvzCCASECAQAwDzENMAsGA1UEAwwEZXZpbDCBmzAQBgcqhkjOPQIBBgUrgQQA
        IwOBhgAEAELspUnjG4nuPJuXRes3DPEdpiAzHg+SLL2r1oBhHL+2naG1jApij34G
        8IUn7oAUsObjYcYrkAoBy1xnRq56ZXwlAANWepqCsGljK4RNoZWPUfb710UY58Br
        TqSpw6n9xUeXUmAO8ZujeQDEKzpr3UiaVoJq1nQn3qd9k7EUjHVjFZD/oG0wFwYJ
        KoZIhvcNAQkHMQoMCGh1bnRlcjIyMFIGCSqGSIb3DQEJDjFFMEMwDwYDVR0TAQH/
        BAUwAwEB/zAbBgNVHREEFDASghBldmlsLmV4YW1wbGUuY29tMBMGA1UdJQQMMAoG
        CCsGAQUFBwMBMAoGCCqGSM49BAMCA4GLADCBhwJBEeGJPNluhl/HA0lbGnhnLYIe
        pr37kyPLIRXmC6Zn0xjWGx5vPrIqtyiiap3nuIicp/yR41VS80Rh8ww7dDhbW0cC
        QgHEk72IiXkYegQU+jwptVyHOjdaxuGjhbz6aUdMEHacgIf70U/uqGk1hL859eFU
        KZ0PQKe04SmKzGsTR2EY6c76AA==
        """

    /// ECDSA on secp256k1.
    static let k1 = """
        MIIBNDCB2wIBADAPMQ0wCwYDVQQDDARldmlsMFYwEAYHKoZIzj0CAQYFK4EEAAoD
        QgAEq7kQwxx3njdTFDjZ4l8ZMcUR85gsuU2mUSSmKOkzUCoLb3yGHieFaFcR6K5w
        w8jU/RwzVq+AQ9nnjbV7j4gf5KBtMBcGCSqGSIb3DQEJBzEKDAhodW50ZXIyMjBS
        BgkqhkiG9w0BCQ4xRTBDMA8GA1UdEwEB/wQFMAMBAf8wGwYDVR0RBBQwEoIQZXZp
        bC5leGFtcGxlLmNvbTATBgNVHSUEDDAKBggrBgEFBQcDATAKBggqhkjOPQQDAgNI
        ADBFAiBuBVaQAIYXJKebrrP3yR5DXwaBqIyKs9EDVsBrsPu7EwIhAP0eAwp/qXPW
        Dlh62JCE9+JwKJ4ZmbNNQjQ70SkHcimB
        """

    /// RSA signed with SHA-1.
    static let sha1 = """
        MIICUTCCATkCAQAwDDEKMAgGA1UEAwwBYTCCASIwDQYJKoZIhvcNAQEBBQADggEP
        ADCCAQoCggEBALXXGhpJ95wXP931l1B8PLv8isdy3+weGdVyAC5Y+Q6J4ZyNGFp6
        qw87XIJPuiYFkVuUHe+7W6xCgeHM3X4rOS6yj/pGBAo7Qu/SgnhIOGxAL/O/57AY
        l9nJ32UcF4f7JUajIufTDWKx5wknadZjZvNPehCEzXTEdHjqt+ggui5Fbb9yjdN7
        zBAOC9rKAPyPLLhMfsSFWbIU2KiTAVCHgHQCAoJtGMzyS46/cVjLlFSnyxSSe4Uc
        F0cPc6SzZA31gviFcrwnSxJCPK/ycHwnvz6CIq6wkCbLdTav3NbmhjPz4YWSaKte
        Wjuioegd5QysELM7Bh3sWDjKM8hYtFQf5YUCAwEAAaAAMA0GCSqGSIb3DQEBBQUA
        A4IBAQBmUL7fNJmYsM85/QcGbWoJEmZbq3P/z0SrgHrMLB1qvQtec81poZe7EeKb
        6bdo25RPLpykuJ6WoGxneHVlvBReJmgPTAhDZgl7GGo2Hz8HBeBqGVRvdyVIVHRn
        qFEbk/9V5czTvsLMaNSlTFiboGCDV+F3+35aytxJQC4HKjzS+q7HzLi9wkjvaI0n
        q664lc7C4OsE8SVh+Z6wCX7jmHxikWpkBwYq8VWfLSjQ0HPf+DfDFb4HX6emHagM
        HES9i7mKK1Wnxhq+PvEpMXJGpmZ2s9kFbq9lJTnx0bjZ0LzXRUwXGcgWG2mKzAXg
        Q40+66cS4xeCoEdIBMF9LatFb+yI
        """

    /// A public key of RSA with 2048 bits.
    static let rsaPublicKey = """
        -----BEGIN PUBLIC KEY-----
        MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEAtdcaGkn3nBc/3fWXUHw8
        u/yKx3Lf7B4Z1XIALlj5DonhnI0YWnqrDztcgk+6JgWRW5Qd77tbrEKB4czdfis5
        LrKP+kYECjtC79KCeEg4bEAv87/nsBiX2cnfZRwXh/slRqMi59MNYrHnCSdp1mNm
        8096EITNdMR0eOq36CC6LkVtv3KN03vMEA4L2soA/I8suEx+xIVZshTYqJMBUIeA
        dAICgm0YzPJLjr9xWMuUVKfLFJJ7hRwXRw9zpLNkDfWC+IVyvCdLEkI8r/JwfCe/
        PoIirrCQJst1Nq/c1uaGM/PhhZJoq15aO6Kh6B3lDKwQszsGHexYOMozyFi0VB/l
        hQIDAQAB
        -----END PUBLIC KEY-----
        """
}
