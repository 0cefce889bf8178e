// Judges certificates as istiod and the agents of proxies do: with Go's own crypto/x509. Reads and writes JSON.
package main

import (
	"bufio"
	"crypto/rsa"
	"crypto/x509"
	"encoding/json"
	"os"
	"time"
)

// A CA as a cluster gets it, in DER, and what it signed: istiod's certificate first, then those of workloads.
type given struct {
	Roots, Chain, Leaves [][]byte
	CA                   []byte
}

// Why a certificate isn't read, in the order CA, chain, roots; and why the CA or a leaf isn't verified.
type verdict struct{ Read, Verified []string }

func text(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

func judge(one given) verdict {
	var found verdict
	read := func(der []byte) *x509.Certificate {
		certificate, err := x509.ParseCertificate(der)
		found.Read = append(found.Read, text(err))
		return certificate
	}
	roots, chain := x509.NewCertPool(), x509.NewCertPool()
	ca := read(one.CA)
	for _, der := range one.Chain {
		if certificate := read(der); certificate != nil {
			chain.AddCert(certificate)
			// crypto/tls refuses a chain with such a key (handshake_client.go, defaultMaxRSAKeySize)
			if key, is := certificate.PublicKey.(*rsa.PublicKey); is && key.N.BitLen() > 8192 {
				found.Verified = append(found.Verified, "tls: RSA key larger than 8192 bits")
			}
		}
	}
	for _, der := range one.Roots {
		if certificate := read(der); certificate != nil {
			roots.AddCert(certificate)
		}
	}
	verify := func(certificate *x509.Certificate, usage x509.ExtKeyUsage) {
		if certificate == nil {
			return
		}
		_, err := certificate.Verify(x509.VerifyOptions{
			Roots: roots, Intermediates: chain, KeyUsages: []x509.ExtKeyUsage{usage},
			CurrentTime: time.Date(2027, 1, 1, 0, 0, 0, 0, time.UTC),
		})
		found.Verified = append(found.Verified, text(err))
	}
	if len(one.Leaves) > 0 {
		verify(ca, x509.ExtKeyUsageServerAuth) // when istiod starts
	}
	for at, der := range one.Leaves {
		leaf, err := x509.ParseCertificate(der)
		if err != nil { // it names a CA that can't be read either
			found.Verified = append(found.Verified, text(err))
		}
		verify(leaf, x509.ExtKeyUsageServerAuth)
		if at > 0 {
			verify(leaf, x509.ExtKeyUsageClientAuth)
		}
	}
	return found
}

func main() {
	in, out := json.NewDecoder(bufio.NewReader(os.Stdin)), json.NewEncoder(os.Stdout)
	for in.More() {
		var one given
		if err := in.Decode(&one); err != nil {
			panic(err)
		}
		if err := out.Encode(judge(one)); err != nil {
			panic(err)
		}
	}
}
